"""``RunnableSerializable``: the base of steps of users' own that have fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from .._fields import Fields
from .._late import late
from .runnable import Input, Output, Runnable

if TYPE_CHECKING:
    from .config_specs import AnyConfigurableField, ConfigurableField

__all__ = ("RunnableSerializable",)


class RunnableSerializable(Fields, Runnable[Input, Output]):
    """A Runnable whose annotated fields are keyword arguments of its constructor.

    What LangChain's adds to that, writing and reading objects as JSON, it does not do. ::

        class Shout(RunnableSerializable[str, str]):
            mark: str = "!"

            def invoke(self, input, config=None, **kwargs):
                return input.upper() + self.mark
    """

    name: str | None = None

    def __eq__(self, other: object) -> bool:
        """Compare the fields of two Runnables of one class."""
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__millstream_fields__)

    __hash__ = None  # type: ignore[assignment]

    def configurable_fields(self, **kwargs: AnyConfigurableField) -> RunnableSerializable[Input, Output]:
        """Return this Runnable with fields that ``configurable`` values of a call's configuration replace.

        Each argument is the name of a field. Raises :class:`ValueError` for a name that is none. ::

            llm = OpenAI(temperature=0).configurable_fields(temperature=ConfigurableField(id="heat"))
            llm.invoke("Tell me a story.", {"configurable": {"heat": 0.9}})
        """
        for name in kwargs:
            if name not in self.__millstream_fields__:
                known = self.__millstream_fields__.keys()
                raise ValueError(f"Configuration key {name} not found in {self}: available keys are {known}")
        made = late("RunnableConfigurableFields")(default=self, fields=kwargs)
        return cast("RunnableSerializable[Input, Output]", made)

    def configurable_alternatives(
        self,
        which: ConfigurableField,
        *,
        default_key: str = "default",
        prefix_keys: bool = False,
        **kwargs: Runnable[Input, Output] | Callable[[], Runnable[Input, Output]],
    ) -> RunnableSerializable[Input, Output]:
        """Return this Runnable, or another one where the ``configurable`` value of ``which`` says so.

        Each further argument is an alternative, under its name: a Runnable, or a function that returns one. With
        ``prefix_keys`` the configurable fields of an alternative are set under ``"<which.id>==<name>/<id>"``. ::

            llm = OpenAI().configurable_alternatives(ConfigurableField(id="llm"), chat=ChatOpenAI())
            llm.invoke("Tell me a story.", {"configurable": {"llm": "chat"}})
        """
        made = late("RunnableConfigurableAlternatives")(
            which=which, default=self, alternatives=kwargs, default_key=default_key, prefix_keys=prefix_keys
        )
        return cast("RunnableSerializable[Input, Output]", made)
