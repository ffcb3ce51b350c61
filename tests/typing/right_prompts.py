"""What type checkers infer of prompts and functions over messages: every line here is right."""

from typing import Any, assert_type

from millstream.documents import Document
from millstream.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    filter_messages,
    get_buffer_string,
    merge_message_runs,
    trim_messages,
)
from millstream.messages.ai import UsageMetadata, subtract_usage
from millstream.messages.content import ImageContentBlock, create_image_block
from millstream.messages.utils import count_tokens_approximately
from millstream.prompts import (
    ChatPromptTemplate,
    DictPromptTemplate,
    FewShotChatMessagePromptTemplate,
    FewShotPromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
    StringPromptTemplate,
    format_document,
)
from millstream.prompts.structured import StructuredPrompt

history: list[BaseMessage] = [HumanMessage("a"), AIMessage("b")]
assert_type(trim_messages(history, max_tokens=10, token_counter=len, start_on="human"), list[BaseMessage])
assert_type(filter_messages(history, include_types=[HumanMessage, "ai"]), list[BaseMessage])
assert_type(merge_message_runs(history, chunk_separator=" "), list[BaseMessage])
assert_type(count_tokens_approximately(history), int)
assert_type(get_buffer_string(history, format="xml"), str)
assert_type(subtract_usage(None, None), UsageMetadata)
assert_type(create_image_block(url="https://x"), ImageContentBlock)
step = trim_messages(max_tokens=10, token_counter="approximate")


class Shout(StringPromptTemplate):
    mark: str = "!"

    def format(self, /, **kwargs: Any) -> str:
        return f"{kwargs['text']}{self.mark}"


assert_type(Shout(input_variables=["text"], mark="?").format(text="x"), str)
assert_type(PromptTemplate.from_template("{{a}}", template_format="mustache").partial(a=1), PromptTemplate)
example = ChatPromptTemplate([("human", "{q}"), MessagesPlaceholder("more", optional=True)])
few = FewShotChatMessagePromptTemplate(example_prompt=example, examples=[{"q": "x"}])
assert_type(few.format_messages(), list[BaseMessage])
texts = FewShotPromptTemplate(example_prompt=PromptTemplate(template="{q}"), examples=[], suffix="{x}", prefix="p")
assert_type(texts.format(x=1), str)
assert_type(HumanMessagePromptTemplate(prompt=PromptTemplate(template="{a}")).format(a=1), BaseMessage)
assert_type(DictPromptTemplate(template={"a": "{b}"}, template_format="f-string").invoke({"b": 1}), dict[str, Any])
assert_type(format_document(Document(page_content="x"), PromptTemplate.from_template("{page_content}")), str)
structured = StructuredPrompt([("human", "{a}")], {"title": "t"})
