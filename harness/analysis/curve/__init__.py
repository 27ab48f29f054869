"""What trials on fewer rows, on wrong labels and on made rows come to; nothing else reads them."""
