"""The commands as a shell sees them: output, files, exit codes, one line per fault and no traceback."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from loop.cli import make_app, shadowed
from loop.store import Store

MEASURED = """\
name: films
seed: 7
space:
  oxide: {choices: [magnetite, silica]}
  density: {real: [0, 8], unit: 1/nm^2, step: 0.5}
objectives:
  - {property: modulus, goal: maximize}
oracles:
  lab: {kind: measurement, properties: {modulus: GPa}}
generator: {kind: uniform}
acquisition: {kind: random}
initial: 3
batch: 2
stop: {evaluations: 5}
"""
HEAVY = ("torch", "botorch", "gpytorch", "openmm", "openff", "pandas", "rdkit", "mdtraj")
AS_NOBODY = ("setpriv", "--reuid", "65534", "--clear-groups")
"""Root may write anywhere."""


def loop(*args, folder: Path) -> SimpleNamespace:
    """Run the command in this process, in the folder of the campaign."""
    with chdir(folder):
        result = CliRunner().invoke(make_app(), [str(arg) for arg in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return SimpleNamespace(returncode=result.exit_code, stdout=result.stdout, stderr=result.stderr)


def shell(*args, folder: Path, prefix: Sequence[str] = ()) -> subprocess.CompletedProcess:
    """Run the command as a user does."""
    command = [*prefix, sys.executable, "-P", "-m", "loop", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "films.yaml").write_text(MEASURED)
    return tmp_path


def test_help_names_every_command_and_is_short_of_ink(folder):
    shown = shell("--help", folder=folder)
    assert shown.returncode == 0
    commands = (
        "init",
        "check",
        "run",
        "status",
        "ask",
        "tell",
        "report",
        "audit",
        "export",
        "replay",
        "amend",
        "schema",
    )
    for command in commands:
        assert f"\n  {command} " in shown.stdout
    assert "\x1b" not in shown.stdout


def test_light_commands_import_nothing_heavy(folder):
    (folder / "own.csv").write_text("oxide,density [1/nm^2],modulus [GPa]\nsilica,1,2\n")
    commands = [
        ["--help"],
        ["schema"],
        ["tell", "films.yaml", "own.csv"],
        ["status", "films.yaml"],
        ["ask", "films.yaml", "-o", "s.xlsx"],
        ["export", "films.yaml", "-o", "o.csv"],
        ["report", "films.yaml"],
        ["audit", "films.yaml"],
    ]
    code = (
        "import sys\nfrom loop.cli import main\n"
        f"for command in {commands!r}:\n"
        "    sys.argv = ['loop', *command]\n"
        "    try:\n        main()\n    except SystemExit as end:\n        assert not end.code, command\n"
        f"    print('HEAVY', *command, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-P", "-c", code], cwd=folder, capture_output=True, text=True)
    found = [line for line in shown.stdout.splitlines() if line.startswith("HEAVY")]
    assert found == [f"HEAVY {' '.join(command)} []" for command in commands], shown.stderr


def test_help_takes_little_processor_time(folder):
    before = os.times()
    shell("--help", folder=folder)
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.5


def test_init_check_and_schema(tmp_path):
    shown = loop("init", folder=tmp_path)
    assert (shown.returncode, shown.stdout) == (0, "wrote campaign.yaml; next: loop check campaign.yaml\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["campaign.schema.json", "campaign.yaml"]
    again = loop("init", folder=tmp_path)
    assert (again.returncode, again.stderr) == (
        2,
        "campaign.yaml: exists; choose another name, or --force to replace it\n",
    )
    checked = loop("check", "campaign.yaml", "--json", folder=tmp_path)
    assert checked.returncode == 0, checked.stderr
    found = json.loads(checked.stdout)
    assert (found["schema"], found["designs"], found["free_parameters"]) == (1, 24, 4)
    (screen,) = found["oracles"]
    assert screen["tasks_per_design"] == 3
    assert screen["hours"] == pytest.approx(24 * 3 * screen["seconds_per_task"] / 3600)
    assert found["wall_hours"] == pytest.approx(screen["hours"] / found["slots"])
    assert 0.5 < found["valid_share"] <= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["campaign.schema.json", "campaign.yaml"]
    schema = json.loads(loop("schema", folder=tmp_path).stdout)
    assert schema == json.loads((tmp_path / "campaign.schema.json").read_text())


def test_check_speaks_plainly(folder):
    shown = loop("check", "films.yaml", folder=folder)
    assert shown.returncode == 0
    assert shown.stdout.startswith("films.yaml: good\nspace: 2 free parameters, 100% of random designs are valid, ")
    assert "stops after at most 5 designs" in shown.stdout
    assert "oracle lab: 1 x 60 min per design at measured, 5 h in all of your time" in shown.stdout


def test_every_fault_is_one_line_on_stderr_and_nothing_is_written(folder):
    (folder / "films.yaml").write_text(MEASURED.replace("seed: 7", "seed: x").replace("batch", "bacht"))
    with_files = ["ask", "-o", "s.csv"], ["export", "-o", "o.csv"]
    for command in (["check"], ["run"], ["status"], ["report"], ["audit"], *with_files):
        shown = loop(command[0], "films.yaml", *command[1:], folder=folder)
        assert shown.returncode == 2
        assert shown.stdout == ""
        assert shown.stderr == (
            "films.yaml:2:7: seed: should be a whole number, not 'x'\n"
            "films.yaml:13:1: bacht: unknown key; did you mean batch?\n"
        )
    assert [path.name for path in folder.iterdir()] == ["films.yaml"]


@pytest.mark.parametrize("arguments", [["tell", "films.yaml"], ["nonsense"], ["run", "films.yaml", "--nonsense"]])
def test_wrong_usage_is_2(folder, arguments):
    shown = loop(*arguments, folder=folder)
    assert shown.returncode == 2
    assert "Usage:" in shown.stderr


def test_a_campaign_by_hand_from_start_to_end(folder):
    new = json.loads(loop("status", "films.yaml", "--json", folder=folder).stdout)
    assert (new["schema"], new["name"], new["state"]) == (1, "films", "new")
    assert loop("run", "films.yaml", folder=folder).returncode == 4
    for name in ("one.csv", "two.csv"):
        asked = loop("ask", "films.yaml", "-o", name, folder=folder)
        assert asked.returncode == 0
        assert "measurements asked" in asked.stdout
        lines = (folder / name).read_text(encoding="utf-8-sig").splitlines()
        place = lines[0].split(",").index("modulus [GPa]")
        rows = [line.split(",") for line in lines[1:]]
        for number, row in enumerate(rows):
            row[place] = str(number + 1.5)
        (folder / name).write_text("\n".join([lines[0], *map(",".join, rows)]))
        told = loop("tell", "runs/films", name, folder=folder)  # the run folder stands for the campaign
        assert (told.returncode, told.stdout) == (0, f"{len(rows)} stored\n")
        code = loop("run", "films.yaml", folder=folder).returncode
        assert code == (4 if name == "one.csv" else 0)
    status = loop("status", "films.yaml", folder=folder)
    assert status.stdout.startswith(
        "films: done, round 1\nlast run: done: 5 evaluations\ntasks: 5 done, 0 failed, 0 running"
    )
    assert "\nrecords: 5 measurement, 0 simulation, 0 synthetic\n" in status.stdout
    best = next(line for line in status.stdout.splitlines() if line.startswith("best"))
    assert best.split() == ["best", "modulus", "[GPa]", "oxide", "density"]
    assert loop("report", "films.yaml", folder=folder).stdout.strip().endswith("runs/films/report.html")
    assert loop("export", "films.yaml", "-o", "out.csv", folder=folder).stdout == "out.csv\n"
    assert len((folder / "out.csv").read_text().splitlines()) == 6


def test_tell_lists_faults_keeps_the_rest_and_ends_2(folder):
    sheet = "oxide,density [1/nm^2],modulus [GPa]\nsilica,1,2\nsilica,9,2\nsilica,2,soft\n"
    (folder / "own.csv").write_text(sheet)
    shown = loop("tell", "films.yaml", "own.csv", folder=folder)
    assert (shown.returncode, shown.stdout) == (2, "1 stored, 2 faults\n")
    assert shown.stderr == (
        "own.csv row 3, column \"density [1/nm^2]\": '9' is not between 0 and 8 1/nm^2\n"
        "own.csv row 4, column \"modulus [GPa]\": 'soft' is not a number; write a number, or n/a where there is none\n"
    )
    again = json.loads(loop("tell", "films.yaml", "own.csv", "--json", folder=folder).stdout)
    assert (again["schema"], again["known"], again["stored"], len(again["faults"])) == (1, 1, 0, 2)


def test_changed_physics_is_refused_until_amended(folder):
    (folder / "own.csv").write_text("oxide,density [1/nm^2],modulus [GPa]\nsilica,1,2\n")
    loop("tell", "films.yaml", "own.csv", folder=folder)
    (folder / "films.yaml").write_text(MEASURED.replace("seed: 7", "seed: 8"))
    refused = loop("run", "films.yaml", folder=folder)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[1] == "  seed: was 7, is 8"
    assert loop("amend", "films.yaml", folder=folder).returncode == 2
    amended = loop("amend", "films.yaml", "--reason", "typing error", folder=folder)
    assert (amended.returncode, amended.stdout) == (0, "seed: was 7, is 8\n")
    assert loop("run", "films.yaml", folder=folder).returncode == 4


def test_a_second_run_is_refused_and_names_the_holder(folder):
    (folder / "runs" / "films").mkdir(parents=True)
    with Store.open(folder / "runs" / "films"):
        refused = loop("run", "films.yaml", folder=folder)
    assert refused.returncode == 75
    assert len(refused.stderr.splitlines()) == 1
    assert str(os.getpid()) in refused.stderr


def test_a_folder_that_cannot_be_written_to_is_one_line(folder):
    for parent in (folder, *folder.parents[:-2]):
        parent.chmod(0o755)  # pytest's own are closed to others
    folder.chmod(0o555)
    try:
        for arguments in (["run", "films.yaml"], ["ask", "films.yaml", "-o", "s.csv"], ["init", "new.yaml"]):
            shown = shell(*arguments, folder=folder, prefix=AS_NOBODY if os.geteuid() == 0 else ())
            assert shown.returncode == 1
            assert "permission denied: choose a folder you can write to" in shown.stderr
            assert len(shown.stderr.splitlines()) == 1
    finally:
        folder.chmod(0o755)


def test_a_place_that_is_a_file_is_one_line(folder):
    (folder / "runs").write_text("in the way")
    for arguments in (["run", "films.yaml"], ["init", "runs/new.yaml"], ["ask", "films.yaml", "-o", "no/such/s.xlsx"]):
        shown = loop(*arguments, folder=folder)
        assert shown.returncode == 1, shown.stderr
        assert len(shown.stderr.splitlines()) == 1, shown.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line(folder):
    (folder / "full.csv").symlink_to("/dev/full")
    shown = loop("ask", "films.yaml", "-o", "full.csv", "--force", folder=folder)
    assert shown.returncode == 1
    assert "the disk is full" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def test_a_reader_that_has_enough_is_no_error(folder):
    command = f"{sys.executable} -P -m loop schema | head -1; echo ${{PIPESTATUS[0]}}"
    shown = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    assert shown.stdout == "{\n0\n"
    assert shown.stderr == ""


def test_interrupting_a_command_is_130_without_a_traceback(folder):
    os.mkfifo(folder / "slow.yaml")  # reading it waits for ever
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "loop", "check", "slow.yaml"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (a background job ignores it)
    )
    with (folder / "slow.yaml").open("w"):  # opens once the command has begun to read
        child.send_signal(signal.SIGINT)
    assert "Traceback" not in child.communicate(timeout=60)[1]
    assert child.returncode == 130


def test_a_package_that_hides_ours_is_named(tmp_path, monkeypatch):
    assert shadowed("oracles") is None
    (tmp_path / "oracles").mkdir()
    (tmp_path / "oracles" / "__init__.py").write_text("")
    code = "import sys; sys.path.insert(0, ''); from loop.cli import main; sys.argv = ['loop', 'schema']; main()"
    shown = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 2
    assert shown.stdout == ""
    assert f"{tmp_path / 'oracles'} hides the package 'oracles' of nanocomposite-loop" in shown.stderr
    assert "python -P -m loop" in shown.stderr
