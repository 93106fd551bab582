"""Decoding, the one place that talks to the imaging library."""

import io
import warnings

from PIL import Image

import dataset

Image.MAX_IMAGE_PIXELS = dataset.MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode(content):
    """(format, RGBA image) of the first frame, really decoded to its last pixel; StepFailed with the reason."""
    kind = dataset.signature(content[:16])
    if not content:
        raise dataset.StepFailed("empty file")
    if kind is None:
        raise dataset.StepFailed(f"not a pixel image: {dataset.what_else(content[:4096])}")
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as image:
            image.load()
            return kind, image.convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise dataset.StepFailed(f"more than {dataset.MAX_PIXELS} pixels") from error
    except Exception as error:  # the library's decoders raise many kinds for damaged files
        raise dataset.StepFailed(f"corrupt {kind}") from error
