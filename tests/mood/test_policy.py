"""What each feeling leads to: the tables, an owner's own, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moodride.mood.policy import (
    ENERGY_CAP,
    GENTLE_ENERGY,
    POLICIES,
    TEMPO_CAP_BPM,
    Plan,
    Policy,
    Rule,
    Target,
    hand_plan,
    in_words,
    named,
    roused,
)
from moodride.settings import BUILT_IN_POLICIES, MoodSettings, PolicySettings, RuleSettings
from moodride.types import MOOD_CENTRES, Emotion, Mood


def rule_of(policy: Policy, emotion: Emotion) -> Rule | None:
    return next((rule for rule in policy if emotion in rule.emotions), None)


def plan_of(name: str, emotion: Emotion) -> Plan:
    rule = rule_of(POLICIES[name], emotion)
    assert rule is not None
    return rule.plan


def own(**changes: object) -> MoodSettings:
    rule = RuleSettings(name="cheerful", emotions=(Emotion.HAPPINESS,), path=(Mood.HAPPY,))
    policy = PolicySettings(name="mine", rules=(replace(rule, **changes),))  # type: ignore[arg-type]
    return MoodSettings(policy="mine", policies=(policy,))


def test_names_when_settings_list_them_are_those_of_the_tables() -> None:
    assert tuple(POLICIES) == BUILT_IN_POLICIES


@pytest.mark.parametrize("name", BUILT_IN_POLICIES)
def test_every_policy_when_read_keeps_surprise_out_and_each_emotion_in_one_rule(
    name: str,
) -> None:
    emotions = [e for rule in POLICIES[name] for e in rule.emotions]
    assert Emotion.SURPRISE not in emotions
    assert len(set(emotions)) == len(emotions)


@pytest.mark.parametrize("name", BUILT_IN_POLICIES)
def test_every_plan_when_read_has_a_target_within_its_limits(name: str) -> None:
    for rule in POLICIES[name]:
        target = rule.plan.target
        assert target is not None, rule.name
        assert target.energy <= (rule.plan.max_energy or 1.0), rule.name


def test_safe_when_sad_matches_once_then_calms_then_leads_to_happy() -> None:
    plan = plan_of("safe", Emotion.SADNESS)
    assert plan.path == (Mood.SAD, Mood.CALM, Mood.HAPPY)
    assert [plan.target_at(step) is None for step in range(4)] == [True, True, False, False]


@pytest.mark.parametrize("emotion", [Emotion.ANGER, Emotion.FEAR])
def test_safe_when_angry_or_afraid_is_calm_at_once_and_glad_first(emotion: Emotion) -> None:
    rule = rule_of(POLICIES["safe"], emotion)
    assert rule is not None
    assert rule.urgent
    assert rule.plan.path == (Mood.CALM,)
    assert rule.plan.prefer_valence
    assert rule.plan.max_energy == GENTLE_ENERGY
    target = rule.plan.target_at(0)
    assert target is not None
    assert target.valence >= MOOD_CENTRES[Mood.HAPPY][0]
    assert target.energy <= MOOD_CENTRES[Mood.CALM][1]


def test_safe_when_glad_is_capped_in_energy_and_tempo() -> None:
    plan = plan_of("safe", Emotion.HAPPINESS)
    assert plan.path == (Mood.HAPPY,)
    assert (plan.max_energy, plan.max_tempo_bpm) == (ENERGY_CAP, TEMPO_CAP_BPM)
    assert plan.target is not None
    assert plan.target.energy < MOOD_CENTRES[Mood.HAPPY][1]


@pytest.mark.parametrize("emotion", [Emotion.NEUTRAL, Emotion.CONTEMPT, Emotion.SURPRISE])
def test_safe_when_nothing_is_the_matter_changes_nothing(emotion: Emotion) -> None:
    assert rule_of(POLICIES["safe"], emotion) is None


def test_match_when_read_mirrors_the_centres_of_the_moods() -> None:
    for rule in POLICIES["match"]:
        assert not rule.urgent
        (mood,) = rule.plan.path
        assert rule.plan.target == Target(*MOOD_CENTRES[mood])


@pytest.mark.parametrize(
    "emotion", [Emotion.HAPPINESS, Emotion.SADNESS, Emotion.ANGER, Emotion.FEAR, Emotion.DISGUST]
)
def test_lift_when_anything_is_felt_ends_glad_at_moderate_arousal(emotion: Emotion) -> None:
    plan = plan_of("lift", emotion)
    assert plan.path[-1] is Mood.HAPPY
    assert plan.target is not None
    assert plan.target.valence > 0.5
    assert 0.4 <= plan.target.energy <= GENTLE_ENERGY


@pytest.mark.parametrize("name", BUILT_IN_POLICIES)
def test_named_when_built_in_is_the_table(name: str) -> None:
    assert named(MoodSettings(policy=name)) is POLICIES[name]


def test_named_when_ones_own_holds_all_that_was_written() -> None:
    settings = own(
        emotions=(Emotion.HAPPINESS, Emotion.NEUTRAL),
        path=(Mood.CALM, Mood.HAPPY),
        valence=0.8,
        energy=0.6,
        max_energy=0.7,
        max_tempo_bpm=110.0,
        prefer_valence=True,
        urgent=True,
        extra=0.1,
    )
    assert named(settings) == (
        Rule(
            name="cheerful",
            emotions=(Emotion.HAPPINESS, Emotion.NEUTRAL),
            plan=Plan(
                path=(Mood.CALM, Mood.HAPPY),
                target=Target(0.8, 0.6),
                max_energy=0.7,
                max_tempo_bpm=110.0,
                prefer_valence=True,
            ),
            urgent=True,
            extra=0.1,
        ),
    )


def test_named_when_ones_own_leaves_things_out_has_no_limits() -> None:
    assert named(own())[0].plan == Plan(path=(Mood.HAPPY,))


def test_named_when_asked_again_does_no_work_and_confuses_no_two_settings() -> None:
    first, second = own(path=(Mood.HAPPY,)), own(path=(Mood.SAD,))
    assert named(first) is named(own(path=(Mood.HAPPY,))), "equal settings, one answer"
    assert named(second)[0].plan.path == (Mood.SAD,)
    assert named(first)[0].plan.path == (Mood.HAPPY,)


def test_named_when_a_policy_is_not_chosen_leaves_it_alone() -> None:
    assert named(replace(own(), policy="safe")) is POLICIES["safe"]


@pytest.mark.parametrize(
    "point", [(-0.1, 0.5), (0.5, 1.1), (float("nan"), 0.5), (0.5, float("inf"))]
)
def test_target_when_off_the_scale_is_refused(point: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"not in 0\.\.1"):
        Target(*point)


def test_plans_when_only_the_note_differs_are_equal() -> None:
    plan = hand_plan(Mood.SAD)
    assert replace(plan, note="at night: calm") == plan
    assert replace(plan, max_energy=0.5) != plan


@pytest.mark.parametrize("name", BUILT_IN_POLICIES)
def test_roused_when_calm_is_planned_is_happy_of_medium_energy_instead(name: str) -> None:
    for rule in POLICIES[name]:
        plan = roused(rule.plan)
        assert Mood.CALM not in plan.path
        if Mood.CALM in rule.plan.path:
            assert plan.path[-1] is Mood.HAPPY
            assert plan.target is not None
            assert plan.target.energy >= 0.5
        else:
            assert plan == rule.plan


def test_words_when_a_policy_is_told_name_feelings_moods_and_limits() -> None:
    line = in_words(POLICIES["safe"])
    assert line.startswith(
        "happiness: happy, near valence 0.73 and energy 0.65, energy at most 0.8"
    )
    assert "sadness: sad then calm then happy" in line
    assert "anger or fear: calm at once" in line
    assert in_words(named(own())) == "happiness: happy"
