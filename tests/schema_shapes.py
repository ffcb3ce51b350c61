"""Schemas and graphs as plain data that two libraries share."""

from typing import Any

__all__ = ("graph_shape", "without_descriptions")


def without_descriptions(schema: Any) -> Any:
    """Return a schema without the docstrings of classes, and a field of LangChain's that is deprecated."""
    if isinstance(schema, list):
        return [without_descriptions(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_descriptions(one)
        for key, one in schema.items()
        if key != "example" and not (key == "description" and isinstance(one, str))
    }


def graph_shape(graph: Any) -> dict[str, Any]:
    """Return a graph as plain data, with the names of classes in place of their paths."""
    plain: dict[str, Any] = graph.to_json(with_schemas=True)
    for node in plain["nodes"]:
        if node.get("type") == "runnable":
            node["data"]["id"] = node["data"]["id"][-1]
    shape: dict[str, Any] = without_descriptions(plain)
    return shape
