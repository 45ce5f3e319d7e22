"""Look at a plan: as a picture, as a page that answers the mouse, in a notebook. `figure` draws with Matplotlib."""
