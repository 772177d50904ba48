"""Whatever a configuration says of Treadle's own keys: settings that the nodes read the same way, or problems that name key and remedy."""

from hypothesis import given
from hypothesis import strategies as st

from conf import configuration
from conf.files import read_file
from conf.options import GROUP_OPTIONS, GROUP_PREFIX, OPTIONS, RESOURCE_OPTIONS

NAMES = st.sampled_from(["gpu", "fpga", "train", "io"])
OWN = st.sampled_from([option.key for option in OPTIONS])
OF_RESOURCES = st.builds(lambda name, option: option.of(name).key, NAMES, st.sampled_from(RESOURCE_OPTIONS))
OF_GROUPS = st.builds(lambda name, suffix: f"{GROUP_PREFIX}{name}.{suffix}", NAMES, st.sampled_from(list(GROUP_OPTIONS)))
OF_DRIVERS = NAMES.map(lambda name: f"external-resource.{name}.param.x")
VARIABLES = st.builds(lambda role, name: f"containerized.{role}.env.{name}", st.sampled_from(["master", "taskmanager"]), NAMES | st.text())
KEYS = st.one_of(OWN, OF_RESOURCES, OF_GROUPS, OF_DRIVERS, VARIABLES, st.text())

WORDS = ["gpu", "gpu;fpga", "train;io", "none", "warn", "slot", "true", "1", "2", "-1", "0", "1g", "512m", "10 s", "5 min", "0.5", "nvidia"]
VALUES = (
    st.sampled_from([*WORDS, "yarn.io/gpu", "/a", "a.csv#b", "hdfs:///a#b", "a=b", "fixed-delay", "numa", "", "NaN", "1e309"]) | st.text()
)


@given(given=st.lists(st.tuples(KEYS, VALUES), max_size=12))
def test_any_values_of_any_keys_are_settings_or_problems(given):
    checked = configuration.check([], [(key, value, "shipped") for key, value in given])
    for problem in checked.problems:
        assert problem.key
        assert problem.cause
        assert problem.remedy
        assert "\n" not in problem.remedy
    if checked.settings is None:
        assert checked.problems
    else:
        assert configuration.from_flat(checked.configuration.flat()).settings() == checked.settings


LINES = st.lists(
    st.builds(lambda key, between, value: f"{key}{between}{value}", KEYS, st.sampled_from([": ", ":", "=", " = ", " "]), VALUES)
)


@given(name=st.sampled_from(["config.yaml", "flink-conf.yaml"]), lines=LINES)
def test_any_file_of_such_lines_is_settings_or_problems(name, lines, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / name
    path.write_text("\n".join(lines), encoding="utf-8")
    checked = configuration.check([read_file(path)], [])
    assert all(problem.cause and problem.remedy for problem in checked.problems)
    assert checked.settings is not None or checked.problems
