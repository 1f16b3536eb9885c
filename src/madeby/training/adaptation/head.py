"""The last step of a bundle's network, which is linear: found in its ONNX file, read, and replaced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from madeby.errors import BundleError

WEIGHT, BIAS = "head.weight", "head.bias"
"""What the names of the two tensors of a network of ours end with."""

TOKEN_WEIGHTS, TOKEN_BIAS = "weights ", "bias"
"""What the names of the tensors begin with, and are, where heads tap the blocks of a transformer, as in `wild`."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tap:
    """One tensor of the head and the value in the network that it is multiplied with.

    Over ``places`` the value is (N, d, h, w) and all places weigh alike; over ``tokens`` it is (N, 1 + places, d),
    and the first token, which stands for the whole, has weights of its own beside those of the places.
    """

    value: str
    tensor: str
    over: Literal["places", "tokens"]
    width: int

    def seen(self, value: npt.NDArray[np.float32]) -> Floats:
        """What the head sees of each view, (N, width)."""
        exact = np.asarray(value, np.float64)
        if self.over == "places":
            return np.asarray(exact.mean((2, 3)))
        return np.concatenate([exact[:, 0], exact[:, 1:].mean(1)], axis=1)

    def weight_of(self, tensor: npt.NDArray[Any]) -> Floats:
        """The tensor as one row, (width,)."""
        return np.asarray(tensor.T if self.over == "tokens" else tensor, np.float64).ravel()

    def tensor_of(self, weight: Floats, old: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The row as a tensor of the old one's shape and type."""
        shaped = weight.reshape(old.T.shape).T if self.over == "tokens" else weight.reshape(old.shape)
        return np.ascontiguousarray(shaped, old.dtype)


@dataclass(frozen=True)
class Head:
    """``logit = weight · features + bias``, averaged over a picture's views.

    ``weight`` (d,) is that of all taps, one behind the other; ``constant`` is the name of the bias.
    """

    model: Any
    taps: tuple[Tap, ...]
    weight: Floats
    bias: float
    constant: str

    @classmethod
    def of(cls, path: Path) -> Head:
        """The head of an ONNX model.

        Raises:
            BundleError: it has none that is linear.
        """
        import onnx
        from onnx import numpy_helper

        model = onnx.load(str(path))
        tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        taps = _taps(model, tensors)
        constants = [name for name in tensors if name == TOKEN_BIAS or f".{name}".endswith(f".{BIAS}")]
        if not taps or len(constants) != 1:
            raise BundleError(f"{path} has no linear last step of ours that could be adapted; train a new model")
        bias = np.asarray(tensors[constants[0]], np.float64).ravel()
        if len(bias) != 1:
            raise BundleError(f"{path} gives {len(bias)} logits at its last step; only one can be adapted")
        weights = [tap.weight_of(tensors[tap.tensor]) for tap in taps]
        if any(len(weight) != tap.width for weight, tap in zip(weights, taps, strict=True)):
            raise BundleError(f"{path} looks at neighbouring places in its last step; only one place can be adapted")
        return cls(model, taps, np.concatenate(weights), float(bias[0]), constants[0])

    def showing_features(self) -> bytes:
        """The model with what its taps look at as outputs more, in their order, behind its own."""
        import onnx
        from onnx import TensorProto, helper

        shown = onnx.ModelProto()
        shown.CopyFrom(self.model)
        for tap in self.taps:
            shown.graph.output.append(helper.make_tensor_value_info(tap.value, TensorProto.FLOAT, None))
        return bytes(shown.SerializeToString())

    def write(self, path: Path, weight: Floats, bias: float) -> None:
        """Write the model with another head."""
        import onnx
        from onnx import numpy_helper

        ends = np.cumsum([tap.width for tap in self.taps])[:-1]
        rows = dict(zip(self.taps, np.split(weight, ends), strict=True))
        changed = onnx.ModelProto()
        changed.CopyFrom(self.model)
        for tensor in changed.graph.initializer:
            old = numpy_helper.to_array(tensor)
            if tensor.name == self.constant:
                tensor.CopyFrom(numpy_helper.from_array(np.full(old.shape, bias, old.dtype), tensor.name))
            for tap, row in rows.items():
                if tap.tensor == tensor.name:
                    tensor.CopyFrom(numpy_helper.from_array(tap.tensor_of(row, old), tensor.name))
        onnx.save(changed, str(path))


def _taps(model: Any, tensors: dict[str, npt.NDArray[Any]]) -> tuple[Tap, ...]:
    """Where the head looks, in the order of its operations; none if it is no head of ours."""
    found = []
    for node in model.graph.node:
        for name in node.input[1:2]:
            if name not in tensors:
                continue
            shape = tensors[name].shape
            if node.op_type == "Conv" and f".{name}".endswith(f".{WEIGHT}"):
                found.append(Tap(node.input[0], name, "places", max(shape)))
            if node.op_type == "MatMul" and name.startswith(TOKEN_WEIGHTS) and len(shape) == 2 and shape[1] == 2:
                found.append(Tap(node.input[0], name, "tokens", 2 * shape[0]))
    return tuple(found) if len({tap.over for tap in found}) == 1 else ()
