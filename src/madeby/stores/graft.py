"""Cuts a published network where a head of ours taps it, and puts the head in place of the rest.

The head is an ONNX model too. Its inputs bear the names of values inside the other network, the tower; all that the
tower computes for those is kept, byte for byte, all else is left out. Nothing is executed and no ONNX library is
asked, so that the result has the same bytes, and the same checksum, everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from madeby.detector.runtime import INPUT_NAME
from madeby.errors import BundleError
from madeby.stores.protobuf import BYTES, VARINT, Field, fields_of, message_of, text_field

IR_VERSION, GRAPH, OPSET = 1, 7, 8  # fields of a ModelProto
NODE, GRAPH_NAME, INITIALIZER, INPUT, OUTPUT = 1, 2, 5, 11, 12  # of a GraphProto
NODE_INPUT, NODE_OUTPUT, NODE_TYPE, NODE_ATTRIBUTE = 1, 2, 4, 5  # of a NodeProto
TENSOR_NAME = 8  # of a TensorProto
VALUE_NAME = 1  # of a ValueInfoProto
OPSET_NAME, OPSET_VERSION = 1, 2  # of an OperatorSetIdProto
ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS = 6, 11  # of an AttributeProto


@dataclass(frozen=True)
class Node:
    """One operation: its kind, the values it takes and gives, and its bytes."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    data: memoryview | bytes

    @classmethod
    def of(cls, data: memoryview | bytes) -> Node:
        """The operation that is written in these bytes.

        Raises:
            ValueError: it has a graph of its own inside, such as a loop's, whose values would be missed.
        """
        fields = list(fields_of(data))
        for field in fields:
            if field.number == NODE_ATTRIBUTE and any(
                inner.number in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS) for inner in fields_of(field.data)
            ):
                raise ValueError("an operation has a graph of its own inside")
        return cls(
            "".join(field.text for field in fields if field.number == NODE_TYPE),
            tuple(field.text for field in fields if field.number == NODE_INPUT),
            tuple(field.text for field in fields if field.number == NODE_OUTPUT),
            data,
        )

    def reading(self, new_names: Mapping[str, str]) -> Node:
        """The same operation, taking values by other names."""
        if not any(name in new_names for name in self.inputs):
            return self
        fields = [
            text_field(NODE_INPUT, new_names.get(field.text, field.text)) if field.number == NODE_INPUT else field
            for field in fields_of(self.data)
        ]
        return replace(self, inputs=tuple(new_names.get(name, name) for name in self.inputs), data=message_of(fields))


@dataclass(frozen=True)
class Model:
    """An ONNX model taken apart: operations in order, constants, inputs and outputs by name, each as its bytes."""

    ir_version: int
    opsets: tuple[memoryview | bytes, ...]
    nodes: tuple[Node, ...]
    constants: dict[str, memoryview | bytes]
    inputs: dict[str, memoryview | bytes]
    outputs: dict[str, memoryview | bytes]

    @classmethod
    def of(cls, data: bytes, what: str) -> Model:
        """Take a model apart; ``what`` names it in the error.

        Raises:
            BundleError: the bytes are not an ONNX model, or one with graphs inside graphs.
        """
        try:
            parts = list(fields_of(data))
            graph = [inner for field in parts if field.number == GRAPH for inner in fields_of(field.data)]
            constants = {_name(field, TENSOR_NAME): field.data for field in graph if field.number == INITIALIZER}
            return cls(
                max(field.value for field in parts if field.number == IR_VERSION and isinstance(field.value, int)),
                tuple(field.data for field in parts if field.number == OPSET),
                tuple(Node.of(field.data) for field in graph if field.number == NODE),
                constants,
                {
                    name: field.data
                    for field in graph
                    if field.number == INPUT and (name := _name(field, VALUE_NAME)) not in constants
                },
                {_name(field, VALUE_NAME): field.data for field in graph if field.number == OUTPUT},
            )
        except ValueError as error:
            raise BundleError(f"{what} is not an ONNX model that can be cut: {error}") from None

    @property
    def operators(self) -> dict[str, int | memoryview | bytes]:
        """The operator sets and the version of each; the standard one has no name, written or left out."""
        return {
            _name(Field(OPSET, BYTES, opset), OPSET_NAME): field.value
            for opset in self.opsets
            for field in fields_of(opset)
            if field.number == OPSET_VERSION
        }

    def to_bytes(self) -> bytes:
        """The model as a file."""
        graph = [
            *(Field(NODE, BYTES, node.data) for node in self.nodes),
            text_field(GRAPH_NAME, "grafted"),
            *(Field(INITIALIZER, BYTES, data) for data in self.constants.values()),
            *(Field(INPUT, BYTES, data) for data in self.inputs.values()),
            *(Field(OUTPUT, BYTES, data) for data in self.outputs.values()),
        ]
        return message_of(
            [
                Field(IR_VERSION, VARINT, self.ir_version),
                Field(GRAPH, BYTES, message_of(graph)),
                *(Field(OPSET, BYTES, opset) for opset in self.opsets),
            ]
        )


def graft(tower: bytes, head: bytes) -> bytes:
    """The model that gives the head's outputs from the tower's input, called ``pixels`` from then on.

    Args:
        tower: an ONNX model with one input.
        head: an ONNX model of the same operator sets, whose inputs are values of the tower.

    Raises:
        BundleError: one of them is no such model, or they do not fit together.
    """
    below, above = Model.of(tower, "the tower"), Model.of(head, "the head")
    if below.operators != above.operators or below.ir_version < above.ir_version:
        raise BundleError("the head is written for other operators than the tower")
    if len(below.inputs) != 1:
        raise BundleError(f"the tower takes {len(below.inputs)} inputs, not one")
    kept, needed = _kept_for(set(above.inputs), below.nodes)
    (old_name,) = below.inputs
    taken = needed - set(below.constants) - {old_name} - {name for node in kept for name in node.outputs}
    if taken:
        raise BundleError(f"the tower has no value called {min(taken)!r}")
    constants = {name: data for name, data in below.constants.items() if name in needed}
    named = {*constants, INPUT_NAME, *(name for node in kept for name in node.outputs)}
    new = {*above.constants, *(name for node in above.nodes for name in node.outputs)}
    if named & new or (old_name != INPUT_NAME and INPUT_NAME in needed):
        raise BundleError(f"head and tower both have a value called {min(named & new, default=INPUT_NAME)!r}")
    renamed = message_of(
        text_field(VALUE_NAME, INPUT_NAME) if field.number == VALUE_NAME else field
        for field in fields_of(below.inputs[old_name])
    )
    return replace(
        below,
        nodes=tuple(node.reading({old_name: INPUT_NAME}) for node in (*kept, *above.nodes)),
        constants=constants | above.constants,
        inputs={INPUT_NAME: renamed},
        outputs=above.outputs,
    ).to_bytes()


def _kept_for(wanted: set[str], nodes: tuple[Node, ...]) -> tuple[list[Node], set[str]]:
    """The operations that the wanted values need, in order, and all values needed on the way."""
    needed, kept = set(wanted), []
    for node in reversed(nodes):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(name for name in node.inputs if name)
    return kept[::-1], needed


def _name(field: Field, number: int) -> str:
    return "".join(inner.text for inner in fields_of(field.data) if inner.number == number)
