"""Opening a page where there is a browser to open it in."""

import os
import sys


def open_page(url: str) -> bool:
    """Open the page; False where no graphical browser is within reach. A text browser would take over the terminal."""
    reachable = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME")
    )
    if not reachable:
        return False
    import webbrowser

    return webbrowser.open(url)
