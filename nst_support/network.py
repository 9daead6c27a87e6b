"""What makes a network an instrument: convolutions that never change, graphs traced once, layers asked for by name."""

import functools

from nst_support.layers import check_layers
from nst_support.startup import has_bfloat16, keras, tf


class Activations(dict):
    """{layer name: activations}, which says how to come by a layer that is not in it."""

    def __missing__(self, name):
        check_layers([name])
        layers = tuple(dict.fromkeys((*self, name)))
        raise ValueError(f"{name}: this network was not asked for it. Load it with nst.load_vgg19(layers={layers}).")


class FrozenConv2D(keras.layers.Conv2D):
    """A 3x3 convolution and its ReLU whose weights are constants of the traced graph.

    Of constants oneDNN chooses the layout itself, and once: an evaluation of J takes two thirds of the time.
    In bfloat16 on a processor that does not multiply it, numbers are rounded to it and multiplied as
    float32: nearly the same result, where TensorFlow's own bfloat16 would take ten times as long.
    """

    def __init__(self, *args, beyond="zero", **kwargs):
        super().__init__(*args, **kwargs)
        self.beyond = beyond  # the border: "zero" or "mirror"

    def call(self, a):
        with tf.init_scope():
            kernel, bias = self.kernel.numpy(), self.bias.numpy()
        dtype = a.dtype if has_bfloat16() else tf.float32
        kernel, bias = (tf.cast(tf.cast(w, a.dtype), dtype) for w in (kernel, bias))
        a_padded, padding = tf.cast(a, dtype), "SAME"
        if self.beyond == "mirror":
            a_padded, padding = tf.pad(a_padded, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC"), "VALID"
        z = tf.nn.bias_add(tf.nn.conv2d(a_padded, kernel, strides=1, padding=padding), bias)
        return tf.nn.relu(tf.cast(z, a.dtype))


class FrozenNetwork(keras.Model):
    """A network that is only looked through; what is computed with it is traced once."""

    def check_computes(self, names):
        """Raise ValueError, saying how to load it, for the first layer that this network does not compute."""
        for name in names:
            Activations(self.output)[name]

    @functools.cached_property
    def _graphs(self):
        return {}

    def traced(self, function, *arguments):
        """function(vgg, *arguments) as a graph that is traced once for this network and pictures of every size.

        arguments: tensors, or dicts and tuples of them; only heights and widths may differ between calls.
        """
        arguments = tf.nest.map_structure(tf.convert_to_tensor, arguments)
        specs = tf.nest.map_structure(_of_any_size, arguments)
        key = function, repr(specs)
        if key not in self._graphs:  # nothing to convert for autograph, and looking takes a second
            graph = tf.function(functools.partial(function, self), input_signature=specs, autograph=False)
            self._graphs.setdefault(key, graph)  # of two threads that come at once, both take the first's
        return self._graphs[key](*arguments)


def _of_any_size(tensor):
    shape = tensor.shape
    return tf.TensorSpec((shape[0], None, None, shape[3]) if shape.rank == 4 else shape, tensor.dtype)
