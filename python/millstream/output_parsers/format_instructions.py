"""Instructions for models about the format of their answers."""

__all__ = ("JSON_FORMAT_INSTRUCTIONS", "XML_FORMAT_INSTRUCTIONS")

JSON_FORMAT_INSTRUCTIONS = """\
Answer with one JSON value that conforms to the JSON Schema below, and with nothing else: no words before or after it, \
no Markdown, no code fence, no comments, no trailing commas.

The schema describes the value; it is not the value. For the schema
{{"properties": {{"tags": {{"type": "array", "items": {{"type": "string"}}}}}}, "required": ["tags"]}}
the object {{"tags": ["new", "blue"]}} is right, and {{"properties": {{"tags": ["new", "blue"]}}}} is wrong.

The schema of your answer, in a code block that is not a part of it:
```
{schema}
```"""
"""``schema`` is the JSON Schema, as JSON."""

XML_FORMAT_INSTRUCTIONS = """\
Answer with one XML document, and with nothing else. Close every tag, and nest the elements properly.

<list>
   <item>one</item>
   <item>two</item>
</list> is right; <list><item>one</list> is wrong, because <item> is not closed.

Use the tags that are listed here. If the list is None, choose the tags yourself.
```
{tags}
```"""
"""``tags`` are the names of elements."""
