# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What all action plugins share: arguments, the call, check mode without Holdfast, diff, errors, secrets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase

from ..module_utils.monitor.core.description.describe import RuleError, describe
from ..module_utils.monitor.core.values.problems import Problem
from ..module_utils.monitor.paths import POINTER
from . import _node
from ._node import NodeFailure
from ._plain import as_dict, plain


class ControllerAction(ActionBase):
    """A task that touches no node."""

    SPEC: ClassVar[Mapping[str, Any]]
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result; a failure is a result too."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        self.vars: Mapping[str, Any] = task_vars or {}
        secrets: set[str] = set()
        try:
            self.check_rules()
            validation, arguments = self.validate_argument_spec(argument_spec=dict(self.SPEC))
            secrets = validation._no_log_values
            result.update(self.act(arguments))
        except NodeFailure as failure:
            result.update(failure.result)
        cleaned: dict[str, Any] = remove_values(result, secrets)
        return cleaned

    def check_rules(self) -> None:
        """What was written breaks no rule. Raises NodeFailure with every problem.

        This comes before ansible-core's own validation, which stops at the first error.
        """

    @abstractmethod
    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Does the task and returns its result. Raises NodeFailure."""

    @property
    def node(self) -> str:
        """The inventory hostname of the host that the task is for."""
        return str(self._task.delegate_to or self.vars.get("inventory_hostname", ""))

    def given(self, name: str) -> Any:
        """The argument as it was written, templates resolved, for rules that report every problem at once."""
        return plain(self._task.args.get(name))

    def module(self, name: str, **args: Any) -> dict[str, Any]:
        """The result of an upstream module on the node. Raises NodeFailure with its message."""
        found: dict[str, Any] = self._execute_module(module_name=name, module_args=args, task_vars=self.vars)
        if found.get("failed"):
            raise NodeFailure(f"{self.node}: {name}: {found.get('msg', 'failed without a message')}", module=name)
        return found

    def copy(self, by: str, source: str, path: str, **options: Any) -> bool:
        """The file of the control host is on the node, in a folder that exists; whether it was not before.

        ``by`` is the upstream action that copies. Raises NodeFailure.
        """
        task = self._task.copy()
        task.args = {"src": source, "dest": path, **options}
        action = self._shared_loader_obj.action_loader.get(
            by,
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        found = action.run(task_vars=self.vars)
        if found.get("failed"):
            raise NodeFailure(f"{self.node}: {path} could not be written: {found.get('msg')}")
        return bool(found.get("changed"))

    def prepared(self, said: Mapping[str, Any]) -> bool:
        """Whether ``holdfast prepare`` had anything to do, from what it said. Raises NodeFailure when it failed."""
        answered = _node.answer(said["stdout"])
        if answered is None:
            why = " ".join(_node.readable(said["stderr"])) or f"it ended with code {said['rc']}"
            raise NodeFailure(f"{self.node}: the package could not be prepared: {why}")
        return bool(answered["changed"])


class NodeAction(ControllerAction):
    """A task that is one call of Holdfast on the node."""

    VERB: ClassVar[str]
    _requires_connection = True

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The node's answer as the task's result."""
        self.refuse_what_cannot_work()
        args = self.request(arguments)
        answered = self.call(self.VERB, args)
        if answered is None:
            return self.result(self.prediction(args), arguments)
        return self.result(answered, arguments)

    def request(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the verb."""
        return arguments

    def prediction(self, args: dict[str, Any]) -> dict[str, Any]:
        """The answer that a node would give on which nothing was described yet; check mode only."""
        return {"changed": False, "diff": None, "data": {}, "args": args}

    def result(self, answered: Mapping[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        """The task's result for an answer."""
        del arguments
        result: dict[str, Any] = {"changed": bool(answered.get("changed")), **(answered.get("data") or {})}
        return {**result, **self.diff_of(answered)}

    def call(self, verb: str, args: Mapping[str, Any]) -> dict[str, Any] | None:
        """The node's answer; None in check mode when Holdfast does not run there yet.

        Raises NodeFailure: the node refused, or Holdfast is not there, or its answer cannot be read.
        """
        check = bool(self._task.check_mode)
        asked = _node.request(verb, plain(args), check=check, diff=bool(self._task.diff))
        said = self._low_level_execute_command(_node.command("call"), sudoable=False, in_data=asked)
        answered = _node.answer(said["stdout"])
        if answered is None:
            self.explain_no_answer(said, check=check)
            return None
        if answered["ok"]:
            return answered
        error = as_dict(answered.get("error"))
        if check and error.get("kind") == "unreachable":
            return None
        raise _node.failure_of(error, node=self.node)

    def explain_no_answer(self, said: Mapping[str, Any], *, check: bool) -> None:
        """Returns when it is check mode before the first run. Raises NodeFailure otherwise, with the reason."""
        if self.exists(POINTER):
            raise _node.no_answer(node=self.node, rc=said["rc"], stdout=said["stdout"], stderr=said["stderr"])
        if not check:
            raise _node.not_installed(node=self.node)

    def exists(self, path: str) -> bool:
        """Whether the file or folder is on the node."""
        return bool(self.module("ansible.windows.win_stat", path=path, get_checksum=False)["stat"]["exists"])

    def refuse_what_cannot_work(self) -> None:
        """Nothing is sent to a host that is not Windows, and nobody believes that become had an effect."""
        if not getattr(self._connection._shell, "_IS_WINDOWS", False):
            raise NodeFailure(
                f"{self.node} is not reached as a Windows host. Set ansible_connection to winrm or psrp, or to ssh "
                "with ansible_shell_type: powershell."
            )
        if self._connection.become is not None:
            raise NodeFailure(
                f"{self.node}: become has no effect on holdfast.iis modules. Remove it from this task, and let "
                "ansible_user be an account that is an administrator on the node."
            )

    def diff_of(self, answered: Mapping[str, Any]) -> dict[str, Any]:
        """The result's diff, when one was asked for and there is one."""
        diff = answered.get("diff")
        if not self._task.diff or not diff:
            return {}
        header = f"{self.VERB} on {self.node}"
        both = {"before": diff.get("before") or {}, "after": diff.get("after") or {}}
        return {"diff": {**both, "before_header": header, "after_header": header}}


class DescribingAction(NodeAction):
    """A task that describes something: predicted on the control host while the node has no Holdfast."""

    def check_rules(self) -> None:
        """The descriptions are in order as far as that can be told without the node."""
        self.described(self.request(dict.fromkeys(self.SPEC)))

    def elements(self, name: str, convert: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
        """The list as it was written, each element converted; what is no list or no mapping is left to the rules."""
        written = self.given(name)
        if not isinstance(written, list):
            return written
        return [convert(element) if isinstance(element, dict) else element for element in written]

    def prediction(self, args: dict[str, Any]) -> dict[str, Any]:
        """What the call would change where nothing was described yet."""
        change = self.described(args)
        return {"changed": change.changed, "diff": {"before": change.before, "after": change.after}, "data": {}}

    def described(self, args: dict[str, Any]) -> Any:
        """The change to a node on which nothing was described yet. Raises NodeFailure with every problem."""
        try:
            return describe(None, self.VERB, args, {}, check=True)
        except RuleError as error:
            raise broken_rules(error.problems) from None


def broken_rules(problems: tuple[Problem, ...] | list[Problem]) -> NodeFailure:
    """The failed result for descriptions that break rules, before any node was touched."""
    found = [as_dict(problem) for problem in problems]
    count = "1 rule is broken" if len(found) == 1 else f"{len(found)} rules are broken"
    text = f"{count}; no node was touched.{_node.problem_lines(found)}"
    return NodeFailure(text, kind="rule", problems=found)
