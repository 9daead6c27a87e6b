"""What is known of VGG-19 without its weights: its layers by name, from shallow to deep, and the colour it expects."""

import re

LAYERS = tuple(f"conv{block}_{i}" for block, n in enumerate((2, 2, 4, 4, 4), 1) for i in range(1, n + 1))
BGR_MEAN = (103.939, 116.779, 123.68)  # of ImageNet, in 0..255: what VGG-19 expects to be subtracted


def check_layers(names):
    """Raise ValueError for the first name that is not of a layer of VGG-19."""
    for name in names:
        if name not in LAYERS:
            keras_name = re.fullmatch(r"block(\d)_conv(\d)", str(name))
            advice = (
                "here it is conv{}_{}".format(*keras_name.groups()) if keras_name else f"they are {', '.join(LAYERS)}"
            )
            raise ValueError(f"layer {name!r}: not one of VGG-19's names; {advice}.")
