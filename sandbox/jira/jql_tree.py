"""The syntax tree of a query as ``/jql/parse`` shows it, and queries written back as text."""

from __future__ import annotations

import re
from typing import Any

from sandbox.jira.jql import RESERVED, Clause, Compound, Empty, FieldName, Function, Node, Operand, Query, Value

Body = dict[str, Any]


def structure(query: Query) -> Body:
    """The vendor's ``structure``: where and orderBy, each only if the query has it."""
    body: Body = {}
    if query.where is not None:
        body["where"] = _node(query.where)
    if query.order_by:
        body["orderBy"] = {
            "fields": [
                {"field": _field(sort.field)} | ({"direction": sort.direction} if sort.direction else {})
                for sort in query.order_by
            ]
        }
    return body


def _node(node: Node) -> Body:
    if isinstance(node, Compound):
        return {"operator": node.operator, "clauses": [_node(clause) for clause in node.clauses]}
    return _clause(node)


def _clause(clause: Clause) -> Body:
    # The document's list of operators has `~=` where the language has `!~`.
    operator = "~=" if clause.operator == "!~" else clause.operator
    if operator == "changed" or operator.startswith("was"):
        predicates = [{"operator": name, "operand": _operand(operand)} for name, operand in clause.predicates]
        body: Body = {"field": _field(clause.field), "operator": operator, "predicates": predicates}
        return body if operator == "changed" else body | {"operand": _operand(clause.operand)}
    return {"field": _field(clause.field), "operator": operator, "operand": _operand(clause.operand)}


def _field(field: FieldName) -> Body:
    body: Body = {"name": field.name, "encodedName": field.name if field.name.startswith("cf[") else quoted(field.name)}
    if field.entity_property is not None:
        key, _, path = field.entity_property.partition(".")
        body["property"] = [{"entity": field.name.split(".")[0], "key": key, "path": path}]
    return body


def _operand(operand: Operand) -> Body:
    if isinstance(operand, Value):
        return {"value": operand.text, "encodedValue": quoted(operand.text)}
    if isinstance(operand, Function):
        return {
            "function": operand.name,
            "arguments": list(operand.arguments),
            "encodedOperand": written(operand),
        }
    if isinstance(operand, Empty):
        return {"keyword": "empty"}
    return {"values": [_operand(item) for item in operand.items], "encodedOperand": written(operand)}


def written(operand: Operand) -> str:
    """An operand as it may stand in a query."""
    if isinstance(operand, Value):
        return quoted(operand.text)
    if isinstance(operand, Function):
        return f"{operand.name}({', '.join(quoted(argument) for argument in operand.arguments)})"
    if isinstance(operand, Empty):
        return "EMPTY"
    return f"({', '.join(written(item) for item in operand.items)})"


def quoted(text: str) -> str:
    """A word as it may stand in a query: in quotation marks unless it is plain."""
    if re.fullmatch(r"[\w.-]+", text) and text.lower() not in RESERVED:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
