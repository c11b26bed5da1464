"""What holds for every component and every plugin, whatever its kind."""

import doctest
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable

from flowvae.catalogue import Catalogue, Component, Plugin

FIELDS = ("Formula", "Shapes", "Units", "Source")
SLOW_S = 2.0
"""Every command imports every plugin: one that takes longer is felt at each of them."""


def its_docstring_has_its_fields(component: Component) -> None:
    """Formula, Shapes, Units and Source are there, and say something."""
    missing = [name for name in FIELDS if not component.fields.get(name)]
    assert not missing, (
        f'its docstring has no field {", ".join(missing)}: write "{missing[0]}: ..." on a line of its own'
    )


def its_keys_are_explained(component: Component) -> None:
    """Every key of the recipe's table has a meaning; a recipe's author sees nothing else."""
    dark = [name for name, parameter in component.signature.parameters.items() if not parameter.meaning]
    assert not dark, (
        f'{", ".join(dark)} is not explained: write "{dark[0]}: what it means" under Parameters: in the docstring'
    )


def its_example_runs(component: Component) -> None:
    """The docstring has an example, and the example gives what it says."""
    thing = component.load()
    finder = doctest.DocTestFinder(recurse=False)
    module = inspect.getmodule(thing)
    examples = finder.find(thing, component.name, globs=dict(vars(module)) if module else {})
    assert any(test.examples for test in examples), (
        "its docstring has no example: a line that begins with >>>"
    )
    said: list[str] = []
    for test in examples:
        result = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
        assert not result.failed, f"its example does not give what it says: {_last_line(''.join(said))}"


def it_is_known_without_torch(plugin: Plugin, catalogue: Catalogue) -> None:
    """Listing the plugin and reading its signatures imports neither torch nor the components."""
    offered = offers(plugin, catalogue)
    kinds = {c.kind for c in offered} | {
        p.slot.kind for c in offered for p in c.signature.parameters.values() if p.slot
    }
    owners = {catalogue.kinds[kind].plugin.distribution for kind in kinds} | {plugin.distribution}
    seen = _in_child("without_torch", sorted(owners), _modules(offered))
    assert not seen, (
        f"listing it imports {', '.join(seen)}: register import strings, and import inside of functions"
    )


def its_import_is_quick(plugin: Plugin, _catalogue: Catalogue) -> None:
    """The module with the hooks is imported in less than two seconds."""
    [seconds] = _in_child("import_time", [plugin.module_name])
    assert float(seconds) < SLOW_S, (
        f"importing {plugin.module_name} takes {float(seconds):.1f} s; expected less than {SLOW_S:.0f}: "
        "it should import neither torch nor the components"
    )


def its_import_leaves_no_trace(plugin: Plugin, catalogue: Catalogue) -> None:
    """Importing the plugin and its components changes nothing that others share."""
    changed = _in_child("traces", [plugin.module_name, *_modules(offers(plugin, catalogue))])
    assert not changed, (
        f"importing it changes what all share: {'; '.join(changed)}; set nothing and seed nothing on import"
    )


def offers(plugin: Plugin, catalogue: Catalogue) -> list[Component]:
    """The components that a plugin has registered."""
    return [c for found in catalogue.components.values() for c in found if c.plugin is plugin]


def _modules(components: list[Component]) -> list[str]:
    return sorted({c.target.partition(":")[0] for c in components if isinstance(c.target, str)})


def _in_child(probe: str, *arguments: list[str]) -> list[str]:
    # A fresh process: here torch and the plugin are imported already.
    code = f"from flowvae.testing import import_traces as t; t.answer(t.{probe}, {arguments!r})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(  # noqa: S603 - the code is ours
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, f"it does not import in a fresh process: {_last_line(done.stderr)}"
    answer: list[str] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


OF_COMPONENTS: tuple[Callable[[Component], None], ...] = (
    its_docstring_has_its_fields,
    its_keys_are_explained,
    its_example_runs,
)
OF_PLUGINS: tuple[Callable[[Plugin, Catalogue], None], ...] = (
    it_is_known_without_torch,
    its_import_is_quick,
    its_import_leaves_no_trace,
)
