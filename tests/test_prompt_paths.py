"""Import lines for LangChain's messages and prompts work with the name of the package replaced."""

import importlib
from typing import Any

import pytest

IMPORTS = """
from langchain_core.prompts import AIMessagePromptTemplate, BasePromptTemplate, ChatMessagePromptTemplate
from langchain_core.prompts import ChatPromptTemplate, HumanMessagePromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.prompts import SystemMessagePromptTemplate, get_template_variables
from langchain_core.prompts.base import BasePromptTemplate
from langchain_core.prompts.chat import AIMessagePromptTemplate, BaseChatPromptTemplate, BaseMessagePromptTemplate
from langchain_core.prompts.chat import ChatMessagePromptTemplate, ChatPromptTemplate, HumanMessagePromptTemplate
from langchain_core.prompts.chat import MessageLike, MessagesPlaceholder, SystemMessagePromptTemplate
from langchain_core.prompts.message import BaseMessagePromptTemplate
from langchain_core.prompts.prompt import PromptTemplate
from langchain_core.prompts.string import get_template_variables
from langchain_core.prompts.string import DEFAULT_FORMATTER_MAPPING, DEFAULT_VALIDATOR_MAPPING, StringPromptTemplate
from langchain_core.prompts.string import PromptTemplateFormat, check_valid_template, is_subsequence, jinja2_formatter
from langchain_core.prompts.string import mustache_formatter, mustache_schema, mustache_template_vars, validate_jinja2
from langchain_core.prompts.string import validate_f_string_template
from langchain_core.prompts import DictPromptTemplate, FewShotChatMessagePromptTemplate, FewShotPromptTemplate
from langchain_core.prompts import FewShotPromptWithTemplates, StringPromptTemplate, aformat_document, format_document
from langchain_core.prompts import check_valid_template, jinja2_formatter, load_prompt, validate_jinja2
from langchain_core.prompts.base import BasePromptTemplate, FormatOutputType, aformat_document, format_document
from langchain_core.prompts.chat import BaseStringMessagePromptTemplate, MessageLikeRepresentation
from langchain_core.prompts.dict import DictPromptTemplate
from langchain_core.prompts.few_shot import FewShotChatMessagePromptTemplate, FewShotPromptTemplate
from langchain_core.prompts.few_shot_with_templates import FewShotPromptWithTemplates
from langchain_core.prompts.image import ImagePromptTemplate
from langchain_core.prompts.loading import load_prompt
from langchain_core.prompts.structured import StructuredPrompt
from langchain_core.example_selectors import BaseExampleSelector, LengthBasedExampleSelector, sorted_values
from langchain_core.example_selectors import MaxMarginalRelevanceExampleSelector, SemanticSimilarityExampleSelector
from langchain_core.example_selectors.base import BaseExampleSelector
from langchain_core.example_selectors.length_based import LengthBasedExampleSelector
from langchain_core.example_selectors.semantic_similarity import SemanticSimilarityExampleSelector, sorted_values
from langchain_core.prompt_values import ChatPromptValue, PromptValue, StringPromptValue
from langchain_core.prompt_values import ChatPromptValueConcrete, ImagePromptValue, ImageURL
from langchain_core.messages.block_translators import PROVIDER_TRANSLATORS, get_translator, register_translator
from langchain_core.utils import StrictFormatter, abatch_iterate, batch_iterate, comma_list, formatter, get_bolded_text
from langchain_core.utils import get_color_mapping, get_colored_text, guard_import, stringify_dict, stringify_value
from langchain_core.utils.formatting import StrictFormatter, formatter
from langchain_core.utils.mustache import ChevronError, render, tokenize
from langchain_core.utils.strings import comma_list, sanitize_for_postgres, stringify_dict, stringify_value
from langchain_core.utils.iter import batch_iterate
from langchain_core.utils.aiter import abatch_iterate, aclosing
from langchain_core.utils.input import get_bolded_text, get_color_mapping, get_colored_text, print_text
from langchain_core.utils.utils import guard_import
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, BaseMessage, BaseMessageChunk
from langchain_core.messages import ChatMessage, ChatMessageChunk, FunctionMessage, FunctionMessageChunk
from langchain_core.messages import HumanMessage, HumanMessageChunk, InvalidToolCall, MessageLikeRepresentation
from langchain_core.messages import SystemMessage, SystemMessageChunk, ToolCall, ToolCallChunk, ToolMessage
from langchain_core.messages import ToolMessageChunk, UsageMetadata, convert_to_messages, convert_to_openai_messages
from langchain_core.messages import get_buffer_string, merge_content, message_chunk_to_message, message_to_dict
from langchain_core.messages import messages_from_dict, messages_to_dict, is_data_content_block, ContentBlock
from langchain_core.messages import InputTokenDetails, OutputTokenDetails, TextContentBlock, ReasoningContentBlock
from langchain_core.messages.ai import AIMessage, AIMessageChunk, InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.ai import add_ai_message_chunks, add_usage, subtract_usage
from langchain_core.messages import RemoveMessage, filter_messages, merge_message_runs, trim_messages
from langchain_core.messages import Annotation, Citation, NonStandardAnnotation, RefusalContentBlock, ServerToolCall
from langchain_core.messages import ServerToolCallChunk, ServerToolResult, LC_AUTO_PREFIX, LC_ID_PREFIX, ensure_id
from langchain_core.messages import NotificationMetadata, add_notification_metadata, get_notification_metadata
from langchain_core.messages.block_translators.openai import convert_to_openai_data_block
from langchain_core.messages.block_translators.openai import convert_to_openai_image_block
from langchain_core.messages.modifier import RemoveMessage
from langchain_core.messages.notification import add_notification_metadata
from langchain_core.messages.utils import AnyMessage, MessageLikeRepresentation, convert_to_messages
from langchain_core.messages.utils import convert_to_openai_messages, count_tokens_approximately, filter_messages
from langchain_core.messages.utils import get_buffer_string, merge_message_runs, message_chunk_to_message
from langchain_core.messages.utils import messages_from_dict, trim_messages
from langchain_core.messages.base import BaseMessage, BaseMessageChunk, get_msg_title_repr, merge_content
from langchain_core.messages.base import message_to_dict, messages_to_dict
from langchain_core.messages.chat import ChatMessage, ChatMessageChunk
from langchain_core.messages.function import FunctionMessage, FunctionMessageChunk
from langchain_core.messages.human import HumanMessage, HumanMessageChunk
from langchain_core.messages.system import SystemMessage, SystemMessageChunk
from langchain_core.messages.tool import InvalidToolCall, ToolCall, ToolCallChunk, ToolMessage, ToolMessageChunk
from langchain_core.messages.tool import default_tool_chunk_parser, default_tool_parser, invalid_tool_call, tool_call
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.messages.content import KNOWN_BLOCK_TYPES, ImageContentBlock, is_data_content_block
from langchain_core.messages.content import Citation, ToolContentBlock, create_image_block, create_text_block
from langchain_core.messages.content import create_audio_block, create_citation, create_file_block, create_tool_call
"""


@pytest.mark.parametrize("line", IMPORTS.strip().splitlines())
def test_import_lines_for_langchain_work_with_the_package_name_replaced(line: str) -> None:
    found: dict[str, Any] = {}
    exec(line, found)
    exec(line.replace("langchain_core", "millstream"), found)
    for name in line.partition(" import ")[2].split(", "):
        module = importlib.import_module(line.split()[1].replace("langchain_core", "millstream"))
        assert found[name] is getattr(module, name)
