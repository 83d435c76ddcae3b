"""Templates, and what stands around the content of every page."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from importlib.resources import files
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

from synthgen.errors import MissingExtraError
from synthgen.page.wording import amount, clean, fixed, shorten

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

_HOME: Final = "synthgen.page"

_RATING_WORDS: Final = {"good": "Good", "fair": "Fair", "poor": "Poor", "none": "Not rated"}
#: Shapes, so that a rating is not told by colour alone.
_RATING_MARKS: Final = {
    "good": "\N{BLACK CIRCLE}",
    "fair": "\N{BLACK DIAMOND}",
    "poor": "\N{BLACK UP-POINTING TRIANGLE}",
    "none": "\N{WHITE CIRCLE}",
}
#: Ratings, the best first.
RATINGS: Final = tuple(_RATING_WORDS)
_LINK: Final = re.compile(
    r"(?P<url>https?://[^\s<>\"]+)|(?:doi:\s?)(?P<doi>10\.\d{4,9}/[^\s<>\"]+)"
    r"|arXiv:\s?(?P<arxiv>\d{4}\.\d{4,5})",
    re.IGNORECASE,
)


def template(package: str, name: str) -> jinja2.Template:
    """Return a template that may import the shared ``parts.html.j2``.

    Parameters
    ----------
    package : str
        Where the template lies, for instance ``"synthgen.evaluate"``.
    name : str
        Its path in there, for instance ``"report/page.html.j2"``.

    Raises
    ------
    MissingExtraError
        If jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("The report as HTML", "jinja2", "evaluate") from error

    def load(wanted: str) -> str:
        return _read(_HOME, wanted) if wanted == "parts.html.j2" else _read(package, wanted)

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(load),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": _cell,
        "clean": clean,
        "fixed": fixed,
        "heading": lambda name: clean(name).replace("_", " ").capitalize(),
        "mark": _RATING_MARKS.__getitem__,
        "rating_word": _RATING_WORDS.__getitem__,
        "references": _references,
        "short": shorten,
        "signed": lambda value, digits: ("+" if value > 0 else "") + fixed(value, digits),
    }
    return environment.get_template(name)


@cache
def _read(package: str, name: str) -> str:
    return files(package).joinpath(*name.split("/")).read_text(encoding="utf-8")


def frame(*, package: str = "", style: str = "", sources: str = "") -> dict[str, str]:
    """Return style, script and security policy of a page.

    Parameters
    ----------
    package, style : str, default=""
        A style sheet that comes after the common one: where it lies, and its path in there.
    sources : str, default=""
        More of the policy, for instance ``"img-src data:; "``.
    """
    script = _read(_HOME, "page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; {sources}style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    sheets = _read(_HOME, "page.css") + (_read(package, style) if style else "")
    return {"script": script, "style": sheets, "policy": policy}


def embedded(page: str, title: str) -> str:
    """Return a page for a place inside another one, such as the output of a notebook's cell.

    It stands in a frame of its own, so that no style leaks in or out, and scrolls there.
    """
    return (
        f'<iframe title="{html.escape(shorten(title, 200), quote=True)}" '
        'sandbox="allow-scripts allow-popups" '
        'style="width:100%;height:720px;border:1px solid #8886;border-radius:8px" '
        f'srcdoc="{html.escape(page, quote=True)}"></iframe>'
    )


def is_number(value: Any) -> bool:
    """Whether a cell holds a number; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return amount(None)
    return amount(float(value)) if is_number(value) else shorten(value, 300)


def _references(text: str) -> Markup:
    """Return a reference with its DOI, arXiv number or address as a link; nothing is loaded."""
    from markupsafe import Markup

    line = clean(text)
    anchor = Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>')
    parts: list[str] = []
    last = 0
    for found in _LINK.finditer(line):
        shown = found.group().rstrip(".,;)")
        target = _target(found)
        parts += [line[last : found.start()], anchor.format(target, shown)]
        last = found.start() + len(shown)
    # Joined and formatted by Markup, plain texts are escaped.
    return Markup("").join([*parts, line[last:]])


def _target(found: re.Match[str]) -> str:
    if found["doi"]:
        return "https://doi.org/" + found["doi"].rstrip(".,;)")
    if found["arxiv"]:
        return "https://arxiv.org/abs/" + found["arxiv"]
    return str(found["url"]).rstrip(".,;)")
