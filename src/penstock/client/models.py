"""Registered models of one workspace or registry."""

from penstock.client.downloadable import DownloadableAssets


class Models(DownloadableAssets):
    """Versioned assets whose files can be fetched."""
