"""`python -m flowvae.probe FOLDER DEVICE...` reads FOLDER/arms/*.toml and writes FOLDER/arms.json, and what each word for a
device means here to FOLDER/devices.json.

A process of its own, so that the driver of an ablation never needs torch.
"""

import json
import sys
from pathlib import Path

import torch
from attrs import evolve

from flowvae.building.device import pick_device, visible_names
from flowvae.catalogue import Catalogue
from flowvae.errors import FlowvaeError, RecipeError
from flowvae.folder.records import Arms, Device, Devices
from flowvae.probe.limits import limited
from flowvae.probe.probe import probe
from flowvae.recipe import read_recipe, resolve


def main(folder: Path, devices: list[str]) -> int:
    """Probes the machine for devices, and the arms that the folder names."""
    torch.set_num_threads(1)
    arms = dict(Arms.read(folder).arms)
    try:
        places = {device: pick_device(device) for device in devices}
        for name, arm in arms.items():
            if arm.probed is None:
                catalogue = Catalogue.installed(arm.plugins)
                recipe = resolve(read_recipe(str(folder / "arms" / f"{name}.toml")), catalogue)
                with limited(recipe):
                    arms[name] = evolve(arm, probed=probe(recipe, catalogue))
    except RecipeError as error:
        # The driver knows where the user wrote each value.
        print(
            json.dumps(
                {"arm": name, "faults": [[f.path, f.what, f.component, f.accepted] for f in error.faults]}
            )
        )
        return error.exit_status
    except FlowvaeError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return error.exit_status
    Devices({n: Device(p.type, tuple(visible_names(p))) for n, p in places.items()}).write(folder)
    Arms(arms).write(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
