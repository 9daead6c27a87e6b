"""Two real works of art from Wikimedia Commons, fetched by name and checked: for machines with a network."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from nst_support.weight_files import try_connection, why_it_failed
from nst_support.whole_file import write_whole

AGENT = "neural-style-transfer/1.0 (a course on neural style transfer; one picture at a person's request)"
TIMEOUTS = (5, 20)  # s, until a connection stands, and without a byte


@dataclass(frozen=True)
class Work:
    """A picture of Wikimedia Commons."""

    name: str
    title: str
    author: str
    licence: str
    url: str
    md5: str

    @property
    def credit(self):
        """What has to be said beside it."""
        return f"{self.title}, {self.author}. {self.licence}, from Wikimedia Commons."


SOURCE = "https://upload.wikimedia.org/wikipedia/commons"
WORKS = (
    Work(
        "monet_pourville",
        "Cliff Walk at Pourville, 1882",
        "Claude Monet",
        "Public domain",
        f"{SOURCE}/a/a4/Claude_Monet_-_Cliff_Walk_at_Pourville_-_Google_Art_Project.jpg",
        "8f6b8101b484f17cea92a12ad27be31d",
    ),
    Work(
        "mosaic_ducks",
        "Mosaic of ducks, Palazzo Massimo alle Terme, Rome",
        "photographed by Marie-Lan Nguyen, 2006",
        "Public domain",
        f"{SOURCE}/2/23/Mosaic_ducks_Massimo.jpg",
        "5b60cd1724395f7a0c21dc6dd006f8ae",
    ),
)


class NotFetched(OSError):
    """A work cannot be had; the message says why, in one sentence."""


def fetch(work, folder, timeouts=TIMEOUTS):
    """The path of a `Work` in a folder, downloaded unless it is there and right; it appears whole or not at all.

    timeouts: see `TIMEOUTS`. Raises `NotFetched`.
    """
    import pooch

    path = Path(folder) / f"{work.name}.jpg"
    if path.is_file() and pooch.file_hash(str(path), "md5") == work.md5:
        return path
    body = io.BytesIO()
    try:
        try_connection(work.url, timeouts[0])
        pooch.HTTPDownloader(headers={"User-Agent": AGENT}, timeout=timeouts)(work.url, body, None)
        if hashlib.md5(body.getbuffer(), usedforsecurity=False).hexdigest() != work.md5:
            raise ValueError("the server sent another file than the one pinned, or a part of it")
        return write_whole(path, body.getbuffer())
    except (OSError, ValueError) as error:
        raise NotFetched(f"{work.title}: not fetched from {work.url} ({why_it_failed(error)[0]}).") from error


def fetch_all(folder, works=WORKS):
    """The paths of all works that can be had; prints the credit of each, or once why there is none."""
    paths = []
    for work in works:
        try:
            paths.append(fetch(work, folder))
        except NotFetched as error:
            print(f"{error} Going on with the pictures that are here.")
            break
        print(work.credit)
    return paths
