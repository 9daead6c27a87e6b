"""What a person has chosen in notebook 04: pictures and settings, without the widgets that show them."""

from pathlib import Path

import traitlets

from nst_support.pictures import as_path, is_picture_name, picture_size
from nst_support.whole_file import write_whole
from studio.painting import Painting
from studio.settings import Settings


class Choices(traitlets.HasTraits):
    """C, one or two styles and how to paint, to be observed. Every change gives a picture that can be painted.

    images: the folder with content/ and style/. uploads: a folder for pictures that a person brings, made when needed.
    """

    content = traitlets.Instance(Path)
    style = traitlets.Instance(Path)
    second = traitlets.Instance(Path, allow_none=True)  # style
    share = traitlets.Int(50, min=0, max=100)  # of the second style, per cent
    strength = traitlets.Int(50, min=0, max=100)
    style_scale = traitlets.Float(1.0, min=0.1, max=10)
    preserve_colors = traitlets.Enum([None, "palette", "brightness"], None)
    pictures = traitlets.Dict()  # {"content": paths, "style": paths}

    def __init__(self, images, uploads, content="louvre", style="poppies"):
        self.uploads = Path(uploads)
        folders = {
            kind: sorted(filter(is_picture_name, (Path(images) / kind).iterdir())) for kind in ("content", "style")
        }
        brought = sorted(filter(is_picture_name, self.uploads.iterdir())) if self.uploads.is_dir() else []
        super().__init__(
            pictures={kind: (*brought, *paths) for kind, paths in folders.items()},
            content=_named(folders["content"], content),
            style=_named(folders["style"], style),
        )

    def bring(self, name, data, kind=None):
        """Keep an uploaded file, and choose it as `kind`, "content" or "style". Returns its path.

        Raises ValueError for what is no picture; nothing of it is kept.
        """
        path = self.uploads / Path(name.replace("\\", "/")).name
        if not is_picture_name(path):
            raise ValueError(f"{name}: not the name of a picture that can be read here. Convert it to JPEG or PNG.")
        write_whole(path, data)
        try:
            picture_size(path)
        except ValueError:
            path.unlink()
            raise
        self.add(path)
        if kind:
            self.set_trait(kind, path)
        return path

    def add(self, path):
        """Offer another picture file, as content and as style."""
        path = as_path(path)
        self.pictures = {kind: paths if path in paths else (path, *paths) for kind, paths in self.pictures.items()}

    @property
    def styles(self):
        """The paths of the styles that count."""
        shares = {self.style: 100 - self.share, self.second: self.share} if self._mixed else {self.style: 100}
        return tuple(path for path, share in shares.items() if share > 0)

    @property
    def _mixed(self):
        return self.second is not None and self.second != self.style

    @property
    def settings(self):
        """{field of `Settings`: value}, all that the lab's controls decide."""
        weights = (100 - self.share, self.share) if len(self.styles) > 1 else None
        return {
            "strength": self.strength,
            "style_scale": round(self.style_scale, 3),
            "preserve_colors": self.preserve_colors,
            "blend_weights": weights,
        }

    def painting(self, output, **more):
        """The `Painting` of these choices. more: further fields of `Settings`, as in size=800."""
        settings = Settings(**self.settings, **more)
        return Painting(content=self.content, styles=self.styles, output=Path(output), settings=settings)


def _named(paths, name):
    return next((path for path in paths if path.stem == name), paths[0])


def uploaded(value):
    """[(name, bytes)] of the value of an ipywidgets.FileUpload: a dict by name until 7, a tuple of dicts from 8 on."""
    if isinstance(value, dict):
        return [(name, bytes(file["content"])) for name, file in value.items()]
    return [(file["name"], bytes(file["content"])) for file in value]
