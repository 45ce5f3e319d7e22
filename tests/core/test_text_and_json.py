from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

import kosine as ks
from kosine._core.json_form import from_data, to_data
from tests.support.strategies import RUN, schedules

DOCUMENT = {"format": "kosine", "version": 1, "schedule": [{"curve": "hold", "duration": "rest", "start": 0.1}]}


def document(**changes: Any) -> str:
    return json.dumps({**DOCUMENT, **changes})


def with_phase(**changes: Any) -> str:
    return document(schedule=[{"curve": "linear", "duration": 5, "start": 0.0, "to": 1.0, **changes}])


# --- round trips -------------------------------------------------------------------------------------------------


@given(schedules)
def test_text_and_json_give_every_schedule_back(schedule: ks.Schedule) -> None:
    assert ks.parse(repr(schedule)) == schedule
    assert ks.loads(ks.dumps(schedule)) == schedule
    assert ks.loads(ks.dumps(schedule).encode()) == schedule
    assert from_data(to_data(schedule)) == schedule


@given(schedules)
def test_json_gives_every_plan_back(schedule: ks.Schedule) -> None:
    plan = schedule.plan(**RUN)
    twin = ks.loads(ks.dumps(plan))
    assert isinstance(twin, ks.Plan)
    assert twin == plan


def test_the_document_is_versioned_and_plain() -> None:
    schedule = ks.Schedule(
        ks.linear("10ep", start=0, to=0.1), ks.cycles(ks.polynomial("2e8sp", to=0, power=2), stretch=1.5, count=3)
    )
    assert json.loads(ks.dumps(schedule.plan(steps_per_epoch=5, samples_per_step=16))) == {
        "format": "kosine",
        "version": 1,
        "schedule": [
            {"curve": "linear", "duration": "10ep", "start": 0.0, "to": 0.1},
            {
                "cycles": [{"curve": "polynomial", "duration": "200Msp", "to": 0.0, "power": 2.0}],
                "stretch": 1.5,
                "count": 3,
            },
        ],
        "run": {"steps_per_epoch": 5, "samples_per_step": 16},
    }


@pytest.mark.parametrize(
    "text",
    [
        'warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)',
        "warmup_cosine(0.0001,warmup='10ep',warmup_start=+4e-06,hold=5,)",
        '\n Schedule ( linear ( "10ep" , start=.000004 , to = 1.0E-4 , endpoint=False ) ,\thold(5), cosine(to=0) ) \n',
    ],
)
def test_the_text_form_is_read_as_python_would(text: str) -> None:
    assert ks.parse(text) == ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)


@pytest.mark.parametrize(
    "points", ["[(0, 0.1), (100, 1e-2)]", "((0,0.1,),[1_00,0.01],)", "( [ ( 0 , .1 ) , ( 100 , (0.01) ) , ] )"]
)
def test_lists_and_tuples_are_read_as_python_would(points: str) -> None:
    assert ks.parse(f"ks.piecewise({points})") == ks.piecewise([(0, 0.1), (100, 0.01)])


def test_numbers_may_have_underscores() -> None:
    assert ks.parse("Schedule(linear(1_000, start=0.5, to=1_0.25))") == ks.Schedule(
        ks.linear(1000, start=0.5, to=10.25)
    )


def test_phases_beside_each_other_are_not_inside_each_other() -> None:
    phases = [ks.linear(2, start=0.0, to=1.0)] * 100
    for schedule in (ks.Schedule(*phases), ks.Schedule(ks.section(*phases))):
        assert ks.parse(repr(schedule)) == ks.loads(ks.dumps(schedule)) == schedule


def test_a_plan_keeps_its_schedule_and_its_run() -> None:
    plan = ks.constant(0.1).plan(total_steps=5)
    twin = ks.loads(ks.dumps(plan))
    assert (twin.schedule, twin.run) == (plan.schedule, plan.run)


def test_20_000_phases_are_written_and_read() -> None:
    schedule = ks.Schedule(*[ks.linear(2 + i % 3, start=0.0, to=1.0) for i in range(20_000)])
    assert ks.parse(repr(schedule)) == schedule
    assert ks.loads(ks.dumps(schedule)) == schedule


# --- what is no schedule expression ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected a schedule, .* at character 1\. Received: the end in ''\.$"),
        ("__import__('os')", r"expected one of Schedule, constant, .* at character 1\. Received: '__import__'"),
        ("Schedule(__import__('os').system('true'))", r"at character 10\. Received: '__import__'"),
        ("().__class__", r"expected a name, .* at character 3\. Received: '\.'"),
        ("constant(0.1).__class__", r"expected a name, .* at character 14\. Received: '\.'"),
        ("np.linear(5, start=1.0, to=0.0)", r"at character 3\. Received: '\.'"),
        ("ks.None", r"expected `\(` after the name 'None' at character 8"),
        ("constant(ks.lr=0.1)", r"expected `\(` after the name 'lr' at character 15"),
        ("ks.ks.constant(0.1)", r"at character 6\. Received: '\.'"),
        ("lambda: 0", r"at character 7\. Received: ':'"),
        ("constant(lambda)", r"expected `\(` after the name 'lambda' at character 16"),
        ("constant(lr=f'{0.1}')", r"expected `\(` after the name 'f' at character 14"),
        ("constant(lr=0.1 + 0.1)", r"at character 17\. Received: '\+'"),
        ("constant(lr=2**3)", r"at character 14\. Received: '\*'"),
        ("constant(lr=-constant(1))", r"at character 13\. Received: '-'"),
        ("constant(*[1])", r"at character 10\. Received: '\*'"),
        ("constant(lr=[1 2])", r"expected `,` or `\]` at character 16\. Received: '2'"),
        ("constant(lr=[1)", r"expected `,` or `\]` at character 15\. Received: '\)'"),
        ("constant(lr=[,])", r"expected a schedule, .* at character 14\. Received: ','"),
        ("constant(lr=[x=1])", r"expected `\(` after the name 'x'"),
        ("[constant(0.1)]", r"The text must be a schedule\. .* which is \[Schedule"),
        ("constant(lr=nan)", r"expected `\(` after the name 'nan'"),
        ("constant(lr=1__0)", r"expected `,` or `\)`; a duration .* at character 14"),
        ("constant(lr=٣)", r"at character 13\. Received: '٣'"),
        ("constant(lr=0.1)  # hi", r"at character 19\. Received: '#'"),
        ("constant(lr=0.1); constant(lr=0.1)", r"at character 17\. Received: ';'"),
        ("constant(lr=0.1) constant(lr=0.1)", r"expected nothing more .* at character 18"),
        ("constant(lr=0.1", r"expected `,` or `\)`; a duration .* at character 16\. Received: the end"),
        ("constant(lr=0.1,,)", r"at character 17\. Received: ','"),
        ("constant(lr=0.1, lr=0.2)", r"expected each argument once at character 18"),
        ("constant(lr=0.1, 0.2)", r"no argument without a name after one with a name at character 18"),
        (
            "constant(0.1, 0.2)",
            r"`constant` cannot be called like this: too many positional arguments\. Received: \[0.1, 0.2\]\.",
        ),
        ("linear(5, start=0.1)", r"missing a required argument: 'to'\. Received: start=0.1\."),
        ("constant(rate=0.1)", r"`constant` has no argument 'rate'.* Its arguments are constant\(lr\)\.$"),
        ("constant", r"expected `\(` after the name 'constant'"),
        ("0.1", r"The text must be a schedule\. Received: '0.1', which is 0.1"),
        ("'rest'", r"The text must be a schedule\. Received: .* which is 'rest'"),
        ("None", r"The text must be a schedule\. .* which is None"),
        (
            "linear(5, start=0.0, to=1.0)",
            r"The text must be a schedule\. .* Write Schedule\(\.\.\.\) around its phases",
        ),
        ("parse('constant(0.1)')", r"expected one of Schedule, .* Received: 'parse'"),
        ('Schedule(linear("5\\u0065p", start=0.0, to=1.0))', r"at character 17\. Received: '\"'"),
        ("(" * 10**5, r"expected at most 32 calls inside each other at character 33\."),
        ("Schedule(" * 10**5, r"expected at most 32 calls inside each other at character 289"),
        ("Schedule(hold(1, start=1)," * 100, r"expected at most 32 calls inside each other at character 816"),
        ("constant(lr=" + "[" * 10**5, r"expected at most 32 calls inside each other at character 44\."),
        ("constant(0.1" + ")" * 10**5, r"expected nothing more after the schedule at character 14"),
        ("x" * 10**6, r"expected `\(` after the name 'xxx.* at character 1000001"),
        (f"constant({'9' * 401})", r"expected a number of at most 400 digits at character 10\."),
        ("9" * 10**6, r"expected a number of at most 400 digits at character 1\."),
        ('"' * 10**6, r"expected nothing more .* at character 3"),
        ('"' + "a" * 10**6, r"at character 1\. Received: '\"'"),
        (" " * 10**6 + "!", r"at character 1000001\. Received: '!'"),
        ("\x00\x01" * 500_000, r"at character 1\. Received: '\\x00'"),
        ("🎓" * 10**6, r"at character 1\. Received: '🎓'"),
    ],
    ids=lambda text: ascii(text[:24]),
)
@pytest.mark.filterwarnings("error")
def test_a_text_that_is_no_schedule_expression_is_refused(text: str, message: str) -> None:
    with pytest.raises(ks.NotationError, match=message) as caught:
        ks.parse(text)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("constant(lr=1e400)", ks.ScheduleError, r"`lr` must be a finite learning rate >= 0\. Received: lr=inf"),
        ("constant(lr=-0.1)", ks.ScheduleError, r"`lr` must be a finite learning rate >= 0\. Received: lr=-0.1"),
        ("constant(lr='0.1')", ks.ArgumentTypeError, r"`lr` must be .* Received: lr='0.1'"),
        ("constant(lr=[1])", ks.ArgumentTypeError, r"`lr` must be .* Received: lr=\[1\]"),
        ("constant(lr=None)", ks.ArgumentTypeError, r"`lr` must be .* Received: lr=None"),
        (
            f"constant(lr={'9' * 400})",
            ks.ScheduleError,
            r"`lr` must be a finite learning rate >= 0\. Received: lr=<an integer of 1,329 bits>",
        ),
        ("Schedule(linear('1e400ep', start=0, to=1))", ks.ScheduleError, r"`duration` must be a number followed by"),
        ("Schedule(linear(1.5, start=0, to=1))", ks.ArgumentTypeError, r"`duration` must be .* duration=1.5"),
        (f"Schedule(hold({'9' * 390}, start=1))", ks.ScheduleError, r"`duration` must be at most 2\*\*63 - 1"),
        ("Schedule(linear(5, start=0, to=True))", ks.ArgumentTypeError, r"`to` must be .* Received: to=True"),
        ("Schedule(constant(0.1))", ks.ArgumentTypeError, r"`Schedule` takes phases .* Received: Schedule"),
        ("Schedule(cycles(cycles(hold(5))))", ks.ArgumentTypeError, r"`cycles` takes phases .* Received: cycles"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_an_expression_with_a_bad_value_is_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ks.parse(text)


@given(st.text() | st.text(alphabet="Schedulinar(),=\"'0123456789.eE+-_ \n", max_size=60))
@example("constant(" * 17)
def test_whatever_is_parsed_is_a_schedule_or_an_error_of_kosine(text: str) -> None:
    try:
        schedule = ks.parse(text)
    except ks.KosineError:
        return
    assert ks.parse(repr(schedule)) == schedule


# --- what is no document -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"the document is not JSON: Expecting value"),
        ("{'format': 'kosine'}", r"the document is not JSON: .* Received: \"{'format'"),
        ("[]", r"The document must be a JSON object\. Received: \[\]"),
        ("{}", r'needs "format": "kosine"\. Received: format=None'),
        (document(format="other"), r'needs "format": "kosine"\. Received: format=\'other\''),
        (document(version=2), r"reads documents up to version 1\. Received: version=2\. Update kosine"),
        (document(version=int("9" * 400)), r"reads documents up to version 1\. Received: version=<an integer of"),
        (document(version=0), r'needs an integer "version" >= 1\. Received: version=0'),
        (document(version=1.0), r'needs an integer "version" >= 1\. Received: version=1.0'),
        (document(version=True), r'needs an integer "version" >= 1\. Received: version=True'),
        (document(version=None), r'needs an integer "version" >= 1\. Received: version=None'),
        ('{"format": "kosine", "version": 1}', r"The document lacks \['schedule'\]"),
        (
            document(note="x"),
            r"unknown fields \['note'\]\. It has \['format', 'schedule', 'version'\] and may have \['run'\]\.$",
        ),
        (document(schedule={}), r'"schedule" must be a list .* Received: {}'),
        (document(schedule=[5]), r"A phase, a group or a section must be a JSON object\. Received: 5"),
        (document(schedule=[{}]), r'"curve" must be one of .* Received: curve=None'),
        (with_phase(curve="sine"), r'"curve" must be one of .* Received: curve=\'sine\''),
        (with_phase(curve=["linear"]), r'"curve" must be one of .* Received: curve=\[\'linear\'\]'),
        (with_phase(power=2), r"A linear phase has the unknown fields \['power'\]"),
        (document(schedule=[{"curve": "linear", "to": 1.0}]), r"A linear phase lacks \['duration'\]"),
        (document(schedule=[{"curve": "linear", "duration": 5}]), r"`linear` .* missing a required argument: 'to'"),
        (document(schedule=[{"cycles": {}}]), r'"cycles" must be a list of phases\. Received: {}'),
        (document(schedule=[{"cycles": [5]}]), r"A phase must be a JSON object\. Received: 5"),
        (document(schedule=[{"cycles": [{"cycles": []}]}]), r'"curve" must be one of .* Received: curve=None'),
        (document(schedule=[{"cycles": [], "grow": 2}]), r"A group has the unknown fields \['grow'\]"),
        (document(run=5), r'"run" must be a JSON object\. Received: 5'),
        (document(schedule=[{"section": [], "grow": 2}]), r"A section has the unknown fields \['grow'\]"),
        (document(schedule=[{"section": 5}]), r'"section" must be a list of phases, groups and sections\. Received: 5'),
        (document(run={"epochs": 5}), r"\"run\" has the unknown fields \['epochs'\]"),
        (with_phase(to=1.0).replace("1.0", "NaN"), r"finite numbers only\. Received: NaN"),
        (with_phase(to=1.0).replace("1.0", "Infinity"), r"finite numbers only\. Received: Infinity"),
        (with_phase(to=1.0).replace("1.0", "-Infinity"), r"finite numbers only\. Received: -Infinity"),
        (with_phase(to=1.0).replace("1.0", "9" * 401), r"at most 400 digits\. Received: one of 401 digits"),
        (with_phase(to=1.0).replace("1.0", "9" * 5000), r"at most 400 digits\. Received: one of 5000 digits"),
        ('{"format": "kosine", "format": "kosine"}', r"each field only once\. Received: 'format' more than once"),
        (document()[:-1] + ', "version": 1}', r"each field only once\. Received: 'version' more than once"),
        (document()[:-1] + "}}", r"the document is not JSON: Extra data"),
        ("[" * 32 + "]" * 32, r"The document must be a JSON object"),
        ("[" * 33, r"nested at most 32 levels deep\. Received: '\[\["),
        ("[" * 10**5, r"nested at most 32 levels deep"),
        ('{"a":' * 10**5, r"nested at most 32 levels deep"),
        (document(format="[" * 10**5), r'needs "format": "kosine"'),
        ('"' + '\\"' * 10**6, r"the document is not JSON: Unterminated string"),
        ('"' + "\\" * 10**6, r"the document is not JSON"),
        (b"\xff\xfe{}", r"the document is not UTF-8 text"),
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_a_text_that_is_no_document_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(ks.NotationError, match=message) as caught:
        ks.loads(text)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (document(schedule=[]), ks.ScheduleError, r"`Schedule` needs at least one phase"),
        (with_phase(to=-1.0), ks.ScheduleError, r"`to` must be a finite learning rate >= 0\. Received: to=-1.0"),
        (with_phase(to=1.0).replace("1.0", "1e999"), ks.ScheduleError, r"`to` must be .* Received: to=inf"),
        (with_phase(to="1.0"), ks.ArgumentTypeError, r"`to` must be .* Received: to='1.0'"),
        (with_phase(to=None), ks.ArgumentTypeError, r"`to` must be .* Received: to=None"),
        (with_phase(duration=5.0), ks.ArgumentTypeError, r"`duration` must be .* Received: duration=5.0"),
        (with_phase(duration="5"), ks.ScheduleError, r"`duration` must be a number followed by"),
        (with_phase(duration=10**300), ks.ScheduleError, r"`duration` must be at most 2\*\*63 - 1"),
        (with_phase(endpoint=1), ks.ArgumentTypeError, r"`endpoint` must be True or False"),
        (document(schedule=[{"cycles": []}]), ks.ScheduleError, r"`cycles` needs at least one phase"),
        (document(run={"total_steps": 0}), ks.PlanError, r"`total_steps` must be an integer >= 1"),
        (document(run={"total_steps": 1.5}), ks.ArgumentTypeError, r"`total_steps` must be an integer >= 1"),
    ],
)
def test_a_document_with_a_bad_value_is_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ks.loads(text)


@pytest.mark.parametrize(
    ("call", "argument", "rule"),
    [
        (ks.parse, b"constant(0.1)", r"Argument `text` must be a string\. Received: text="),
        (ks.parse, None, r"Argument `text` must be a string\. Received: text="),
        (ks.loads, 5, r"Argument `text` must be a string or bytes\. Received: text="),
        (ks.loads, {}, r"Argument `text` must be a string or bytes\. Received: text="),
        (ks.dumps, "constant(0.1)", r"Only a Schedule, a Plan or a Space can be written\. Received: "),
        (ks.dumps, ks.hold(5, start=0.1), r"Only a Schedule, a Plan or a Space can be written\. Received: "),
    ],
)
def test_arguments_of_another_type_are_refused(call: Callable[[Any], object], argument: object, rule: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=rf"^{rule}{re.escape(repr(argument))}\.$"):
        call(argument)


def test_a_text_of_any_length_is_refused_at_once() -> None:
    text = " " * (64 * 2**20 + 1)
    with pytest.raises(ks.NotationError, match=r"at most 67,108,864 characters\. Received: 67,108,865"):
        ks.parse(text)
    with pytest.raises(ks.NotationError, match=r"at most 67,108,864 characters\. Received: 67,108,865"):
        ks.loads(text)
    assert ks.parse(f"constant(0.1){text[14:]}") == ks.loads(f"{ks.dumps(ks.constant(0.1))}{text[102:]}")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("constant(0.1).plan(total_steps=9)", "Leave out `.plan(...)`: the text is the schedule. Give the size of the"),
        (
            "warmup_cosine(peak=1e-3, warmup_steps=9)",
            "no argument 'warmup_steps'. Write `warmup` for warmup_steps. Its",
        ),
        (
            "warmup_cosine(peak=1e-3, total_steps=9)",
            "no argument 'total_steps'. A schedule does not know its run: give the size of the run apart, as `total_",
        ),
        ("sgdr(T_0=10, T_mult=2)", "no arguments 'T_0' and 'T_mult'. Write `period` for T_0 and `stretch` for T_mult."),
        ("linear(9, start=0, eta_min=1)", "`linear` has no argument 'eta_min'. Write `to` for eta_min."),
        ("constant(max_lr=0.1)", "no argument 'max_lr'. Write `lr` for max_lr."),
        ("linear(100, start=0, to=0.1), cosine(to=0)", "nothing more after the schedule; write Schedule(...) around"),
        ("cycles(cosine(5, start=1, to=0)) hold()", "nothing more after the schedule; write Schedule(...) around"),
        ("warmup_cosin(peak=1e-3)", "expected `warmup_cosine` at character 1"),
        ("warmup_cosine(peek=1e-3)", "has no argument 'peek'. Did you mean `peak`? Its arguments are"),
        ("warmup_cosine(rate=1e-3)", "has no argument 'rate'. Its arguments are warmup_cosine(peak, "),
        ("warmup_cosine(peak=1e-3, warmup=5ep)", 'a duration with a unit needs quotes, "5ep"'),
    ],
)
def test_the_error_helps_with_common_slips(text: str, hint: str) -> None:
    with pytest.raises(ks.NotationError, match=re.escape(hint)):
        ks.parse(text)


@pytest.mark.parametrize("text", ["constant(0.1), constant(0.1)", "other.constant(0.1)", "0.1, 0.2"])
def test_a_hint_that_would_not_help_is_not_given(text: str) -> None:
    with pytest.raises(ks.NotationError) as caught:
        ks.parse(text)
    assert re.search(
        r"(after the schedule|`\(` after the name 'other'|one of \( \) \[ \] , =) at character", str(caught.value)
    )


@pytest.mark.parametrize("text", ["1e-3", "0.1", ".5", "-1", "5", "+2E3", "0" * 39])
def test_a_number_in_quotes_is_told_to_lose_them(text: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=re.escape(f"Received: peak='{text}'. Write {text} without quotes.")):
        ks.parse(f'warmup_cosine(peak="{text}")')


@pytest.mark.parametrize("text", ["high", "0" * 40, "\u0663"])
def test_another_text_where_a_number_belongs_is_only_refused(text: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=rf"Received: peak='{text}'\.$"):
        ks.parse(f'warmup_cosine(peak="{text}")')
