"""The last step of a bundle's network, which is linear: found in its ONNX file, read, and replaced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from madeby.errors import BundleError

WEIGHT, BIAS = "head.weight", "head.bias"
"""What the names of its two tensors end with, in every bundle of ours."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """``logit = weight · features + bias``, averaged over a picture's places and views.

    ``weight`` (d,); ``features`` is the name of the value that it is multiplied with, whose axis ``axis`` has d places.
    """

    model: Any
    weight: Floats
    bias: float
    features: str
    axis: int

    @classmethod
    def of(cls, path: Path) -> Head:
        """The head of an ONNX model.

        Raises:
            BundleError: it has none that is linear.
        """
        import onnx
        from onnx import numpy_helper

        model = onnx.load(str(path))
        tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        weights, biases = (_ending(tensors, end) for end in (WEIGHT, BIAS))
        users = [node for node in model.graph.node if weights and weights in node.input]
        if not (weights and biases and len(users) == 1):
            raise BundleError(f"{path} has no linear last step of ours that could be adapted; train a new model")
        weight = np.asarray(numpy_helper.to_array(tensors[weights]), np.float64).ravel()
        bias = np.asarray(numpy_helper.to_array(tensors[biases]), np.float64).ravel()
        if len(bias) != 1:
            raise BundleError(f"{path} gives {len(bias)} logits at its last step; only one can be adapted")
        (node,) = users
        if len(weight) != max(tensors[weights].dims):
            raise BundleError(f"{path} looks at neighbouring places in its last step; only one place can be adapted")
        return cls(model, weight, float(bias[0]), node.input[0], 1 if node.op_type == "Conv" else -1)

    def showing_features(self) -> bytes:
        """The model with the head's input as an output more, the last."""
        import onnx
        from onnx import TensorProto, helper

        shown = onnx.ModelProto()
        shown.CopyFrom(self.model)
        shown.graph.output.append(helper.make_tensor_value_info(self.features, TensorProto.FLOAT, None))
        return bytes(shown.SerializeToString())

    def write(self, path: Path, weight: Floats, bias: float) -> None:
        """Write the model with another head."""
        import onnx
        from onnx import numpy_helper

        changed = onnx.ModelProto()
        changed.CopyFrom(self.model)
        for tensor in changed.graph.initializer:
            for end, values in ((WEIGHT, weight), (BIAS, np.array([bias]))):
                if tensor.name.endswith(end):
                    old = numpy_helper.to_array(tensor)
                    tensor.CopyFrom(numpy_helper.from_array(values.reshape(old.shape).astype(old.dtype), tensor.name))
        onnx.save(changed, str(path))


def _ending(names: dict[str, Any], end: str) -> str | None:
    """The one name that ends so; None if there is none, or several."""
    found = [name for name in names if name == end or name.endswith(f".{end}")]
    return found[0] if len(found) == 1 else None
