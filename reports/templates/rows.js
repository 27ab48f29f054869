"use strict";
/* The browser over all test rows: filters an index, shows texts, writes CSV. No library, no network:
   works from file://. Every text of data goes into the page as text, never as markup. */
(() => {
  const root = document.getElementById("rows");
  if (!root) return;
  const data = JSON.parse(document.getElementById("rows-index").textContent);
  const inline = document.getElementById("rows-texts");
  const chunks = inline ? JSON.parse(inline.textContent) : [];
  const waiting = [];
  const PAGE = 25, NONE = { 1: 255, 2: 65535 }, STEPS = 250;

  /* What would act where it is shown, as an escape: as harness/wording/visible.py has it. */
  const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
  const visible = text => String(text).replace(ACTING, sign => {
    const code = sign.charCodeAt(0).toString(16);
    return sign === "\r" ? "\\r" : code.length <= 2 ? "\\x" + code.padStart(2, "0") : "\\u" + code.padStart(4, "0");
  });

  const make = (tag, text, more) => {
    const made = document.createElement(tag);
    if (text !== undefined && text !== null) made.textContent = visible(text);
    return Object.assign(made, more);
  };
  const unpack = packed => {
    if (!packed) return null;
    const { bytes, of } = typeof packed === "string" ? { bytes: 1, of: packed } : packed;
    const raw = Uint8Array.from(atob(of), sign => sign.charCodeAt(0));
    return bytes === 1 ? raw : new Uint16Array(raw.buffer);
  };
  const gold = unpack(data.gold), goldNone = data.gold ? NONE[data.gold.bytes] : 0;
  const several = new Set(data.several);
  const slices = data.slices.map(one => ({ ...one, of: unpack(one.of) }));
  const arms = data.arms.map(one => ({
    ...one, score: unpack(one.score), sure: unpack(one.sure), said: unpack(one.said),
    saidNone: one.said ? NONE[one.said.bytes] : 0,
    failed: new Set(one.failed), declined: new Set(one.declined),
  }));
  const picked = new Map(data.picked);
  const places = new Map(data.ids.map((id, row) => [id, row]));
  const BEST = STEPS, right = (arm, row) => arm.score[row] === BEST;
  const worth = (arm, row) => arm.score[row] === 255 ? -1 : arm.score[row];
  const scoreText = (arm, row) => arm.score[row] === 255 ? "–"
    : (data.low + (data.high - data.low) * arm.score[row] / STEPS).toFixed(2);

  /* Texts: a chunk is a script beside the report, for a page from file:// may fetch nothing. */
  window.harnessRows = {
    chunk(key, number, texts) {
      if (key !== data.key) return;
      chunks[number] = texts;
      for (const tell of waiting.splice(0)) tell();
    },
  };
  const load = number => new Promise((done, fail) => {
    if (!data.chunks || chunks[number]) return done();
    const check = () => (chunks[number] ? done() : waiting.push(check));
    waiting.push(check);
    const id = "rows-chunk-" + number;
    if (document.getElementById(id)) return;
    const script = make("script", null, { id, src: data.folder + "/rows-" + number + ".js" });
    script.onerror = () => { script.remove(); fail(new Error(script.src)); };
    document.head.append(script);
  });
  const textOf = row => {
    const chunk = chunks[data.chunks ? Math.floor(row / data.size) : 0];
    return chunk && chunk.rows[row];
  };
  const chunkOf = row => data.chunks ? Math.floor(row / data.size) : 0;

  /* State: in the address, so that a view can be sent on. Numbers of arms and labels, not texts. */
  const KEYS = ["a", "b", "show", "slice", "gold", "said", "min", "max", "q", "page", "row"];
  const blank = () => ({ a: data.first, b: data.rival ?? data.first, show: "all", slice: "", gold: "", said: "", min: "", max: "", q: "", page: 1, row: "" });
  let state = blank();
  const read = () => {
    const found = blank(), hash = location.hash;
    if (!hash.startsWith("#rows")) return null;
    for (const [key, value] of new URLSearchParams(hash.slice(6))) if (KEYS.includes(key)) found[key] = value;
    const place = value => Number.isInteger(+value) && arms[+value] ? +value : 0;
    found.a = place(found.a); found.b = place(found.b);
    found.page = Math.max(1, Math.floor(+found.page) || 1);
    return found;
  };
  const write = () => {
    const plain = blank(), said = new URLSearchParams();
    for (const key of KEYS) if (String(state[key]) !== String(plain[key])) said.set(key, state[key]);
    const hash = "#rows" + (said.size ? "?" + said : "");
    if (location.hash !== hash) history.replaceState(null, "", hash);
  };

  /* Filters: one pass over numbers; texts are read for a search alone. */
  const SHOWS = {
    all: () => true,
    differ: (a, b, row) => arms[0].said ? a.said[row] !== b.said[row] : worth(a, row) !== worth(b, row),
    ab: (a, b, row) => data.binary ? right(a, row) && !right(b, row) : worth(a, row) > worth(b, row),
    ba: (a, b, row) => data.binary ? right(b, row) && !right(a, row) : worth(b, row) > worth(a, row),
    right: (a, b, row) => right(a, row) && right(b, row),
    wrong: (a, b, row) => !right(a, row) && !right(b, row),
    awrong: (a, b, row) => !right(a, row),
    failed: (a, b, row) => a.failed.has(row) || b.failed.has(row),
    declined: (a, b, row) => a.declined.has(row) || b.declined.has(row),
    picked: (a, b, row) => picked.has(row),
  };
  const lower = [];
  const words = row => {
    if (lower[row] === undefined) {
      const text = textOf(row);
      const answers = text ? text.a.map(one => one.x || "").join("\n") : "";
      const labels = arms.map(arm => arm.said && data.labels[arm.said[row]] || "").join("\n");
      const fields = text ? Object.values(text.f).join("\n") : "";
      lower[row] = [data.ids[row], text ? text.i : "", fields, text ? text.t.join("\n") : "", answers, labels,
        gold ? data.labels[gold[row]] || "" : ""].join("\n").toLowerCase();
    }
    return lower[row];
  };
  const filtered = () => {
    if (state.row !== "") return places.has(state.row) ? [places.get(state.row)] : [];
    const a = arms[state.a], b = arms[state.b], show = Object.hasOwn(SHOWS, state.show) ? SHOWS[state.show] : SHOWS.all;
    const [column, value] = state.slice === "" ? [] : state.slice.split(".").map(Number);
    const slice = slices[column], wanted = state.gold === "" || !gold ? null : +state.gold;
    const said = state.said === "" || !a.said ? null : +state.said;
    const span = data.high - data.low || 1;
    const least = state.min === "" ? -Infinity : STEPS * (state.min - data.low) / span - 0.5;
    const most = state.max === "" ? Infinity : STEPS * (state.max - data.low) / span + 0.5;
    const query = state.q.toLowerCase(), found = [];
    for (let row = 0; row < data.n; row++) {
      if (!show(a, b, row)) continue;
      if (slice && slice.of[row] !== value) continue;
      if (wanted !== null && goldOf(a, row) !== wanted) continue;
      if (said !== null && saidOf(a, row) !== said) continue;
      if ((least > -Infinity || most < Infinity) && (a.score[row] === 255 || a.score[row] < least || a.score[row] > most)) continue;
      if (query && !words(row).includes(query)) continue;
      found.push(row);
    }
    return found;
  };
  /* As the confusion matrix counts: of several right labels, the answered one if it is among them. */
  const goldOf = (arm, row) => {
    if (several.has(row) && right(arm, row)) return arm.said[row];
    return gold[row] === goldNone ? -3 : gold[row];
  };
  const saidOf = (arm, row) => arm.failed.has(row) ? -2 : arm.said[row] === arm.saidNone ? -1 : arm.said[row];

  /* What is drawn. */
  const answerText = (arm, place, row) => {
    if (arm.failed.has(row)) return "failed";
    const text = textOf(row), own = text && text.a[place];
    if (own && own.x !== undefined) return own.x;
    if (arm.said) return arm.said[row] === arm.saidNone ? "no label read" : data.labels[arm.said[row]];
    return text ? "" : "(text not shown)";
  };
  const rightText = row => {
    const text = textOf(row);
    if (text) return text.t.join(" | ");
    return gold && gold[row] !== goldNone ? data.labels[gold[row]] : "(text not shown)";
  };
  const oneLine = (text, most) => {
    const line = text.replace(/\s+/g, " ").trim();
    return line.length > most ? line.slice(0, most - 1) + "…" : line;
  };
  const mark = (arm, row) => {
    const good = right(arm, row), failed = arm.failed.has(row);
    const text = failed ? "failed" : good ? "right" : data.binary ? "wrong" : scoreText(arm, row);
    return make("span", text, { className: "mark " + (good ? "good" : failed || data.binary ? "bad" : "part") });
  };
  const head = row => {
    const summary = make("summary");
    const text = textOf(row);
    const title = make("span", data.ids[row], { className: "row-id" });
    const line = make("span", text ? oneLine(text.i, 140) : "", { className: "row-line", dir: "auto" });
    const sides = make("span", null, { className: "row-sides" });
    for (const place of new Set([state.a, state.b])) {
      const side = make("span", null, { className: "row-side" });
      const said = make("bdi", oneLine(answerText(arms[place], place, row), 40));
      side.append(make("b", arms[place].name + ": "), said, " ", mark(arms[place], row));
      sides.append(side);
    }
    summary.append(title, line, sides);
    return summary;
  };
  const block = (title, text, className) => {
    const part = make("div", null, { className: "row-part" });
    part.append(make("h4", title), make("p", text, { className: className || "said", dir: "auto" }));
    return part;
  };
  const fold = (title, ...parts) => {
    const found = make("details", null, { className: "row-fold" });
    found.append(make("summary", title), ...parts);
    return found;
  };
  const WHY = {
    ids: "Texts are left out: report.examples is ids.",
    12: "The text of this row is left out. This report shows those of twelve picked rows: `report RUN_DIR --examples all` shows all.",
    all: "The text of this row was not kept: an earlier version ran this, and the row may stand in the data alone.",
  };
  const table = row => {
    const box = make("div", null, { className: "scroll", tabIndex: 0 });
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Answers to " + visible(data.ids[row]));
    const whole = make("table"), top = make("tr");
    for (const title of ["arm", "answer", data.metric, "probability", "trainings right"]) {
      const cell = make("th", title);
      cell.scope = "col";
      top.append(cell);
    }
    const header = make("thead"), body = make("tbody");
    header.append(top);
    arms.forEach((arm, place) => {
      const line = make("tr"), own = (textOf(row) || { a: [] }).a[place] || {};
      const name = make("th", arm.name + (arm.name === data.choice ? " (chosen)" : ""));
      name.scope = "row";
      const said = make("td", null, { className: "answer" });
      said.append(make("bdi", answerText(arm, place, row)), " ", mark(arm, row));
      if (own.e) said.append(make("p", own.e, { className: "small" }));
      const sure = arm.sure && arm.sure[row] !== 255 ? Math.round(100 * arm.sure[row] / STEPS) + "%" : "–";
      const trainings = own.r === undefined ? "–" : own.r + " of " + arm.trainings;
      line.append(name, said, make("td", scoreText(arm, row)), make("td", sure), make("td", trainings));
      body.append(line);
    });
    whole.append(header, body);
    box.append(whole);
    return box;
  };
  const differing = (text, arm, place) => {
    const own = text.a[place];
    if (!own.d) return [];
    const list = make("ul", null, { className: "diff" });
    for (const [path, wanted, said] of own.d) {
      const line = make("li");
      line.append(make("code", path), ": ", make("ins", wanted.join(", ") || "(nothing)"), " ", make("del", said.join(", ") || "(nothing)"));
      list.append(line);
    }
    return [fold(arm.name + ": " + own.d.length + " fields differ", list)];
  };
  const passages = (row, text, arm, place) => {
    const own = text.a[place];
    if (!own.s) return [];
    const documents = chunks[chunkOf(row)].documents;
    const parts = own.s.map(id => {
      const known = Object.hasOwn(documents, id) ? documents[id] : null;
      return known ? fold(id + (known[0] ? ": " + known[0] : ""), make("p", known[1], { className: "said", dir: "auto" }))
        : make("p", id, { className: "small" });
    });
    return [fold(arm.name + ": sources (" + own.s.length + ")", ...parts)];
  };
  const prompt = (text, arm, place) => {
    const own = text.a[place];
    if (!own.p) return [];
    const [number, slots] = own.p;
    const parts = arm.prompts[number].flatMap(([role, begin, end], at) => {
      const said = make("p", null, { className: "said", dir: "auto" });
      said.append(visible(begin), make("mark", slots[at] === 0 ? text.i : slots[at]), visible(end));
      return [make("h5", role), said];
    });
    return [fold(arm.name + ": prompt", ...parts)];
  };
  const body = row => {
    const found = make("div", null, { className: "row-body" }), text = textOf(row);
    const about = slices.map(one => one.column + ": " + (one.values[one.of[row]] ?? "–"));
    if (picked.has(row)) about.unshift("picked: " + picked.get(row));
    if (about.length) found.append(make("p", about.join(" · "), { className: "small" }));
    if (text) {
      found.append(block("Input", text.i));
      for (const [name, value] of Object.entries(text.f)) found.append(block(name, value));
    } else found.append(make("p", WHY[data.shown], { className: "small" }));
    found.append(block("Right answer", rightText(row)), table(row));
    if (text) arms.forEach((arm, place) => found.append(
      ...differing(text, arm, place), ...passages(row, text, arm, place), ...prompt(text, arm, place)));
    const copy = make("button", "Copy this row", { type: "button" });
    copy.onclick = () => copyText(JSON.stringify(record(row), null, 1), copy);
    const link = make("a", "Link to this row", { href: "#rows?" + new URLSearchParams({ row: data.ids[row] }) });
    const acts = make("p", null, { className: "row-acts" });
    acts.append(copy, " ", link);
    found.append(acts);
    return found;
  };
  const copyText = async (text, button) => {
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
    catch {
      const area = make("textarea", null, { value: text });
      button.after(area); area.select();
      button.textContent = document.execCommand("copy") ? "Copied" : "Select and copy";
    }
  };
  const record = row => {
    const text = textOf(row);
    return {
      id: data.ids[row], input: text ? text.i : null, ...(text && Object.keys(text.f).length ? { fields: text.f } : {}),
      targets: text ? text.t : gold ? [rightText(row)] : null,
      slices: Object.fromEntries(slices.map(one => [one.column, one.values[one.of[row]] ?? null])),
      answers: Object.fromEntries(arms.map((arm, place) => [arm.name, { answer: answerText(arm, place, row), score: arm.score[row] === 255 ? null : +scoreText(arm, row) }])),
    };
  };
  const list = root.querySelector(".rows-list"), status = root.querySelector(".rows-status");
  let rows = [];
  const draw = () => {
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    state.page = Math.min(state.page, pages);
    const from = (state.page - 1) * PAGE, shown = rows.slice(from, from + PAGE);
    status.textContent = rows.length.toLocaleString("en") + " of " + data.n.toLocaleString("en") + " rows" +
      (rows.length > PAGE ? "; page " + state.page + " of " + pages : "");
    list.replaceChildren(...shown.map(row => {
      const one = make("details", null, { className: "row" });
      one.append(head(row));
      one.addEventListener("toggle", () => { if (one.open && one.childElementCount === 1) one.append(body(row)); });
      if (state.row !== "") one.open = true;
      return one;
    }));
    root.querySelector(".rows-back").disabled = state.page <= 1;
    root.querySelector(".rows-on").disabled = state.page >= pages;
    const missing = [...new Set(shown.map(chunkOf))].filter(number => data.chunks && !chunks[number]);
    if (missing.length) Promise.all(missing.map(load)).then(draw, gone);
  };
  const gone = problem => { status.textContent = visible("The texts cannot be read (" + problem.message + "). Keep report-data beside report.html, or write one file: report RUN_DIR --single-file."); };
  const everything = () => data.chunks ? Promise.all(Array.from({ length: data.chunks }, (_, number) => load(number))) : Promise.resolve();
  const update = async () => {
    if (state.q && data.chunks) { try { await everything(); } catch (problem) { return gone(problem); } }
    rows = filtered();
    draw();
  };

  /* CSV: every cell is quoted, and none is a formula for a spreadsheet. */
  const FORMULA = /^[\s\u00a0\u200b-\u200f\ufeff]*[=+\-@\t\r|%\uff1d\uff0b\uff0d\uff20]/;
  const cell = value => {
    const text = value === null || value === undefined ? "" : typeof value === "number" ? String(value) : visible(value);
    const safe = typeof value !== "number" && FORMULA.test(text) ? "'" + text : text;
    return '"' + safe.replace(/"/g, '""') + '"';
  };
  const csv = async () => {
    await everything();
    const top = ["id", ...slices.map(one => one.column), "input", "right", ...arms.flatMap(arm => [arm.name, arm.name + " " + data.metric])];
    const lines = rows.map(row => {
      const text = textOf(row);
      return [data.ids[row], ...slices.map(one => one.values[one.of[row]]), text ? text.i : null, rightText(row),
        ...arms.flatMap((arm, place) => [answerText(arm, place, row), arm.score[row] === 255 ? null : +scoreText(arm, row)])];
    });
    return [top, ...lines].map(line => line.map(cell).join(",")).join("\r\n") + "\r\n";
  };

  /* Controls. */
  const form = root.querySelector("form");
  const options = (name, pairs) => {
    const select = form.elements[name];
    if (!select) return;
    if (!pairs.length) { select.closest("label").remove(); return; }
    select.replaceChildren(...pairs.map(([value, text]) => make("option", oneLine(text, 60), { value })));
  };
  const names = arms.map((arm, place) => [place, arm.name + (arm.name === data.choice ? " (chosen)" : "")]);
  const showNames = () => {
    const a = arms[state.a].name, b = arms[state.b].name, graded = !data.binary;
    options("show", [
      ["all", "all rows"], ["picked", "the picked rows"], ["differ", "answers of A and B differ"],
      ["ab", a + (graded ? " scores higher than " : " right, ") + b + (graded ? "" : " wrong")],
      ["ba", b + (graded ? " scores higher than " : " right, ") + a + (graded ? "" : " wrong")],
      ["right", "both right"], ["wrong", graded ? "neither fully right" : "both wrong"],
      ["awrong", a + (graded ? " not fully right" : " wrong")], ["failed", "A or B failed"],
      ...(arms.some(arm => arm.declined.size) ? [["declined", "A or B declined"]] : []),
    ]);
    form.elements.show.value = Object.hasOwn(SHOWS, state.show) ? state.show : "all";
  };
  options("a", names); options("b", names);
  const anything = [["", "any"]];
  options("slice", slices.length ? [...anything, ...slices.flatMap((one, column) => one.values.map((value, at) => [column + "." + at, one.column + ": " + value]))] : []);
  const labels = data.labels.map((label, at) => [at, label]);
  options("gold", labels.length ? [...anything, ...labels] : []);
  options("said", labels.length ? [...anything, ...labels, [-1, "(no label read)"], [-2, "(failed)"]] : []);
  const show = () => {
    showNames();
    for (const key of ["a", "b", "slice", "gold", "said", "min", "max", "q"]) if (form.elements[key]) form.elements[key].value = state[key];
    root.querySelector(".rows-one").hidden = state.row === "";
  };
  const go = change => { state = { ...state, page: 1, row: "", ...change }; show(); write(); return update(); };
  let soon = 0;
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("input", event => {
    const { name, value } = event.target;
    if (!KEYS.includes(name)) return;
    const change = () => go({ [name]: name === "a" || name === "b" ? +value : value });
    clearTimeout(soon);
    if (event.target.tagName === "SELECT") change(); else soon = setTimeout(change, 120);
  });
  root.querySelector(".rows-clear").onclick = () => go(blank());
  root.querySelector(".rows-one").onclick = () => go({});
  root.querySelector(".rows-back").onclick = () => { state.page--; write(); draw(); };
  root.querySelector(".rows-on").onclick = () => { state.page++; write(); draw(); };
  root.querySelector(".rows-csv").onclick = async event => {
    const button = event.target;
    try {
      const address = URL.createObjectURL(new Blob(["\ufeff", await csv()], { type: "text/csv" }));
      make("a", null, { href: address, download: "rows.csv" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    } catch (problem) { gone(problem); }
    button.blur();
  };
  const follow = () => {
    const found = read();
    if (!found) return;
    state = found; show(); update();
    for (let around = root; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
    root.scrollIntoView();
  };
  /* Cells of a confusion matrix lead to the rows that they count. */
  for (const one of document.querySelectorAll("td[data-rows]")) {
    const link = make("a", one.textContent, { href: "#rows?" + one.dataset.rows });
    link.setAttribute("aria-label", visible(one.dataset.label));
    one.replaceChildren(link);
  }
  addEventListener("hashchange", follow);
  Object.assign(window.harnessRows, { csv, state: () => ({ ...state }), rows: () => rows.slice(), go });
  root.hidden = false;
  const asked = read();
  if (asked) follow(); else { show(); update(); }
})();
