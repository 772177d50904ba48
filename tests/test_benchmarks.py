"""What the benchmarks make of what they measured; the measurements themselves are no tests."""

import json
import zipfile

import pytest

from benchmarks import artifacts, cli, discovery, mnist, timeline
from benchmarks.contest import Start
from benchmarks.figures import Figure, figure, ratio, table
from benchmarks.startup import report

APPLICATION = "application_1700000000000_0002"
OTHER = "container_1700000000000_0001_01_00000"
CONTAINER = "container_1700000000000_0002_01_00000"

RESOURCEMANAGER = f"""\
2026-11-24 04:27:23,633 INFO rmapp.RMAppImpl: {APPLICATION} State change from SUBMITTED to ACCEPTED on event = APP_ACCEPTED
2026-11-24 04:27:23,642 INFO rmcontainer.RMContainerImpl: {CONTAINER}1 Container Transitioned from ALLOCATED to ACQUIRED
2026-11-24 04:27:27,546 INFO rmapp.RMAppImpl: {APPLICATION} State change from ACCEPTED to RUNNING on event = ATTEMPT_REGISTERED
2026-11-24 04:27:27,600 INFO rmcontainer.RMContainerImpl: {OTHER}9 Container Transitioned from ALLOCATED to ACQUIRED
2026-11-24 04:27:27,935 INFO rmcontainer.RMContainerImpl: {CONTAINER}2 Container Transitioned from ALLOCATED to ACQUIRED
2026-11-24 04:27:27,936 INFO rmcontainer.RMContainerImpl: {CONTAINER}3 Container Transitioned from ALLOCATED to ACQUIRED
2026-11-24 04:27:28,436 INFO rmcontainer.RMContainerImpl: {CONTAINER}4 Container Transitioned from ALLOCATED to ACQUIRED
""".splitlines()

NODEMANAGERS = f"""\
2026-11-24 04:27:24,469 INFO container.ContainerImpl: Container {CONTAINER}1 transitioned from SCHEDULED to RUNNING
2026-11-24 04:27:29,351 INFO container.ContainerImpl: Container {CONTAINER}2 transitioned from SCHEDULED to RUNNING
2026-11-24 04:27:28,937 INFO container.ContainerImpl: Container {CONTAINER}3 transitioned from LOCALIZED to RUNNING
""".splitlines()


def at(clock):
    return timeline.seconds(f"2026-11-24 {clock}")


def test_the_timeline_leaves_out_other_applications_the_master_and_a_surplus_container():
    assert timeline.read(RESOURCEMANAGER, NODEMANAGERS, APPLICATION, 2) == timeline.Timeline(
        accepted=at("04:27:23,633"), registered=at("04:27:27,546"), granted=at("04:27:27,936"), launched=at("04:27:29,351")
    )


def test_the_stages_add_up_to_the_time_until_ready():
    line = timeline.read(RESOURCEMANAGER, NODEMANAGERS, APPLICATION, 2)
    stages = line.stages(at("04:27:18,633"), at("04:27:30,902"))
    assert tuple(stages) == timeline.STAGES
    assert list(stages.values()) == pytest.approx([5.0, 3.913, 0.390, 1.415, 1.551], abs=1e-5)


@pytest.mark.parametrize(
    ("resourcemanager", "nodemanagers", "missing"),
    [
        ([], NODEMANAGERS, "no line says that YARN accepted it"),
        (RESOURCEMANAGER[:2], NODEMANAGERS, "no line says that its AM registered"),
        (RESOURCEMANAGER[:5], NODEMANAGERS, "1 of 2 containers were granted"),
        (RESOURCEMANAGER, NODEMANAGERS[:2], "1 of 2 containers were started"),
    ],
)
def test_a_start_that_the_logs_show_in_part_is_no_measurement(resourcemanager, nodemanagers, missing):
    with pytest.raises(timeline.IncompleteError, match=missing):
        timeline.read(resourcemanager, nodemanagers, APPLICATION, 2)


def test_a_figure_is_median_and_range():
    assert figure([3.0, 1.0, 2.5]) == Figure(2.5, 1.0, 3.0)
    assert figure([3.0, 1.0, 2.5]).text() == "2.5 (1.0 to 3.0)"
    assert figure([1234567.8]).text(0) == "1,234,568 (1,234,568 to 1,234,568)"


def test_a_ratio_is_taken_round_by_round():
    assert ratio([1.0, 4.0, 3.0], [2.0, 16.0, 3.0]) == Figure(0.5, 0.25, 1.0)


def test_a_ratio_of_different_rounds_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


def test_a_table_has_names_to_the_left_and_figures_to_the_right():
    assert table(["", "s"], [["long name", "1"], ["x", "22"]]).splitlines() == ["            s", "long name   1", "x          22"]


def test_the_report_sets_our_readiness_against_the_others_whole_run():
    stages = dict.fromkeys(timeline.STAGES, 1.0)
    ours, theirs = Start(ready=5.0, whole=6.0, stages=stages), Start(ready=4.0, whole=10.0, stages=stages)
    shown = report({"Treadle": [ours, ours], "DistributedShell": [theirs, theirs]})
    assert "Treadle ready / DistributedShell whole: 0.50 (0.50 to 0.50)" in shown
    assert [line.split()[0] for line in shown.splitlines() if line] == ["seconds", "Treadle", "DistributedShell", "Treadle"]


def test_jars_are_merged_and_the_first_file_of_a_name_counts(tmp_path):
    jars = []
    for name, files in (
        ("a.jar", {"x/A.class": b"a", "META-INF/MANIFEST.MF": b"1"}),
        ("b.jar", {"B.class": b"b", "META-INF/MANIFEST.MF": b"2"}),
    ):
        jars.append(tmp_path / name)
        with zipfile.ZipFile(jars[-1], "w") as jar:
            jar.writestr("x/", b"")
            for entry, content in files.items():
                jar.writestr(entry, content)
    with zipfile.ZipFile(artifacts.merge(jars, tmp_path / "merged.jar")) as merged:
        assert {name: merged.read(name) for name in merged.namelist()} == {"x/A.class": b"a", "META-INF/MANIFEST.MF": b"1", "B.class": b"b"}


@pytest.mark.parametrize(("environment", "expected"), [({"TREADLE_CACHE": "/c"}, "/c"), ({"TREADLE_CACHE": ""}, "/.cache/treadle")])
def test_the_cache_is_the_one_that_the_environment_names(environment, expected):
    assert str(artifacts.cache(environment)).endswith(expected)


def test_a_jobs_speed_is_told_per_slot():
    summary = json.dumps({"images_per_second": 9000.0, "slots": [{}, {}], "seconds_to_first_batch": 0.25, "accuracy": 0.92})
    assert mnist.run_of(summary) == mnist.Run(4500.0, 0.25, 0.92)


def test_the_mnist_report_sets_a_slot_against_one_process():
    shown = mnist.report([mnist.Run(900.0, 0.5, 0.92)], [mnist.Run(1000.0, 0.1, 0.92)])
    assert "a slot's speed / the plain process's: 0.90 (0.90 to 0.90)" in shown


def test_the_discovery_report_sets_nvml_against_the_script():
    shown = discovery.report([discovery.Discovery(20.0, 1.0)], [discovery.Discovery(40.0, 10.0)])
    assert "nvidia / discovery-script, first time: 0.50 (0.50 to 0.50)" in shown
    assert "nvidia / discovery-script, again: 0.10 (0.10 to 0.10)" in shown


@pytest.mark.parametrize("driver", [discovery.NVML, discovery.SCRIPT])
def test_both_drivers_find_all_gpus_of_the_discovery_benchmark(tmp_path, driver):
    measured = discovery.run(driver, 1, discovery.node(tmp_path))
    assert measured.first > 0
    assert measured.again > 0


def test_the_cli_report_sets_each_verb_against_yarns():
    taken = {cli.BARE: [0.1], cli.HELP: [0.15], **{f"submit {verb}": [0.2] for verb in cli.VERBS}, cli.YARN: [2.0]}
    shown = cli.report(taken)
    assert "submit --help / a bare click program --help: 1.50 (1.50 to 1.50)" in shown
    assert "yarn application -status / submit status: 10.0 (10.0 to 10.0)" in shown
