#include "tools/slipway/explanations.h"

#include <utility>

namespace slipway::cli {
namespace {

using Explanation = std::pair<std::string_view, std::string_view>;

constexpr Explanation kExplanations[] = {
    {"P001",
     "The file cannot be read as YAML at all; the line named is where the reader gave up,\n"
     "and the mistake is often just above: a missing colon, quote or bracket, or a list\n"
     "and a mapping mixed at one depth."},
    {"P002",
     "YAML readers disagree on which of two equal keys counts, so that a plan with both is\n"
     "refused. Remove one, or put the steps of both into one list."},
    {"P003",
     "A key that the language does not have is never ignored: it may be a key misspelt,\n"
     "and what it was to prevent would happen. The message names the nearest key.\n"
     "docs/plan.md lists all of them; `slipway plan schema` gives them to an editor."},
    {"P004",
     "`&name` and `*name` make one text stand for another, so that a reviewer does not see\n"
     "what runs where. Write it out; defaults belong under `strategy:`."},
    {"P005",
     "`!tag` changes how a value is read. The schema says the type of each value; leave\n"
     "the tag out."},
    {"P006",
     "`yes`, `no`, `on`, `off` and their like are words to one YAML reader and true or\n"
     "false to another. Put the word in quotes, or write `true` or `false` where the key\n"
     "takes one."},
    {"P007", "One file is one plan, so that one digest can be approved. Cut the file at `---`."},
    {"P008", "Indent with blanks: how deep a tab is differs from reader to reader."},
    {"P009",
     "The file must be UTF-8 without control characters; what you review is then what is\n"
     "read. Look for text pasted from elsewhere at the place named."},
    {"P010",
     "A plan is at most 1 MiB and of a bounded depth: beyond that it was not written by\n"
     "hand, and is nothing that a person can review."},
    {"P011",
     "The key is needed and has no sensible default. `slipway plan new` prints a plan with\n"
     "all that is required."},
    {"P012",
     "For example a list was given where one value belongs, or a value where keys belong.\n"
     "The label under the carets says which kind is wanted."},
    {"P013",
     "Durations carry their units, from the largest to the smallest: 90s, 1h30m, 250ms. A\n"
     "bare number is refused since nobody knows whether seconds are meant."},
    {"P014",
     "Write a number of hosts (3) or a share of the group (25%), from 1% to 100%. Shares\n"
     "are rounded down, and never below one host."},
    {"P015", "Sizes carry their unit: 5GiB, 500MB. KiB and its like count in 1024, kB in 1000."},
    {"P016",
     "A whole decimal number is wanted, without a leading zero, in the range that the\n"
     "message names."},
    {"P017", "Write true or false, without quotes; yes, no, on and off are not taken."},
    {"P018", "The key takes one of a few words; the message lists them."},
    {"P019",
     "The word belongs to the language, but nothing carries it out yet, and a plan that\n"
     "counts on it must not run as if it did. docs/ROADMAP.md says what comes when."},
    {"P020", "A plan is a mapping with `plan: 1` at its beginning. `slipway plan new` prints one."},
    {"P030",
     "`plan: 1` is the only format that there is. It is the version of the language, not\n"
     "of your plan."},
    {"P031", "The first key of a step says what it does. docs/plan.md lists the actions."},
    {"P032", "Each step is one action, so that it has one undo: make two steps of it."},
    {"P033",
     "Names are how people and the journal speak of phases and steps. Give one of them\n"
     "`name:`."},
    {"P034", "Take the empty phase out, or give it steps."},
    {"P035",
     "A phase with `hosts:` is batched: each batch of hosts runs all its steps. A phase\n"
     "without is stepwise: each of its steps has `hosts:`. Mixing both would leave the\n"
     "order open."},
    {"P036",
     "`hosts:` names one of the plan's `groups:`, not a host or a label. The message names\n"
     "the nearest group."},
    {"P037", "A selector is labels joined by commas, all of which must hold: role=web,zone!=b."},
    {"P038", "`exactly` and `min` of one group cannot hold together."},
    {"P039",
     "Each entry of a ramp is at least as large as the one before: what was tried on half\n"
     "of the fleet is not tried on a tenth next."},
    {"P040",
     "Canary and batch are about batches, and a stepwise phase has none. Give the phase\n"
     "`hosts:`, or take the strategy out."},
    {"P041", "A wait without a limit strands a rollout. Say for how long."},
    {"P042", "Whoever reads the result must find out why it was not verified: add `because:`."},
    {"P043",
     "Only a hook says how it is undone (`not_needed`, `impossible` or another hook);\n"
     "other actions know it themselves."},
    {"P044", "Two keys under `rollback:` exclude each other; the message names them."},
    {"P045",
     "Variables are written {{name}} and must be defined: under `vars:`, by `--set`, by a\n"
     "label of each host, or by slipway itself (docs/plan.md, Variables). An undefined one\n"
     "is never an empty text."},
    {"P046", "Names are 1 to 64 letters, digits and \"._-\", and begin with a letter or digit."},
    {"P047", "The value has the right form, and still cannot be meant; the message says why."},
    {"P048",
     "The key belongs to another action, or to a step of another kind; here it would\n"
     "change nothing."},
    {"P049",
     "`requires:` names the versions of slipway that the plan was written for. Upgrade the\n"
     "controller, or check the plan against this version and change the line."},
    {"P050",
     "The step names a database that `database:` of the plan does not have. Databases are\n"
     "named there once, with their kind, their secret and their migrations."},
    {"P051",
     "`approve: { by: ROLE }` names a role that `people:` does not have. A role is a name with\n"
     "the operators who have it: `people: { dba: [lena, max] }`."},
    {"P052",
     "The role has fewer people than must approve, or none; the rollout would wait for ever.\n"
     "An entry with an address, lena@example.org, is the operator lena."},
    {"P060",
     "The selector matches no host, or those that match are cordoned or left out by\n"
     "--hosts. `slipway fleet status SELECTOR` shows who matches."},
    {"P061",
     "`exactly` or `min` of the group does not hold. It guards against a label that\n"
     "somebody changed: look at `slipway fleet status SELECTOR` before you change the\n"
     "number."},
    {"P062",
     "release.yaml of the release that is rolled out has no service of that name: `slipway\n"
     "release show NAME@VERSION` lists them."},
    {"P063",
     "release.yaml of the release has no component of that name: `slipway release show\n"
     "NAME@VERSION` lists them."},
    {"P064",
     "Hooks are named by their path in the release and declared under `hooks:` of\n"
     "release.yaml, where their undo is declared too."},
    {"P065",
     "The step does not say which application directory it is about, and the plan stages\n"
     "the component to several or to none. Add `app:`."},
    {"P066",
     "From some step on there would be no way back: a hook declared `undo: impossible`, or\n"
     "an action whose undo needs what the plan does not make. Nothing that cannot be\n"
     "undone starts unasked."},
    {"P067",
     "One host, one rollout. `slipway status` shows whose it is; wait for its end, or\n"
     "leave the host out with --hosts."},
    {"P068", "Make batches larger, or split the plan: each batch and step is kept in the journal."},
    {"P069",
     "Hosts of one step run at the same time, and each of them would migrate the same\n"
     "database of a server. Give the step a group of one host, with `exactly: 1`."},
    {"P070",
     "`quiet: stop` stops services before a migration, and only a later `start` of this plan\n"
     "runs them again. Start them after it, or name another group in `used_by`."},
    {"P101", "Either the group is a leftover, or a step was meant to name it."},
    {"P102",
     "With this batch size no host of the group would serve while the batch is changed.\n"
     "Use a smaller batch, unless the service may be away."},
    {"P103",
     "A rollout goes on until more hosts than this have failed. Is that many broken hosts\n"
     "what you want to wake up to?"},
    {"P104",
     "`switch` turns to a release that must lie on the host already. Without a `stage` in\n"
     "this plan it has to come from an earlier one."},
    {"P105",
     "After a rollback nothing asks the old release whether it is well. Give a check\n"
     "`on_rollback: true`."},
    {"P106", "`because:` explains something that is switched off; here nothing is."},
    {"P107",
     "The rollout waits for the host, as `unreachable:` says, and fails if it does not\n"
     "come. `slipway agent list` shows since when it is away."},
    {"0",
     "The command did what it was asked for, or found that it was done already. With deploy\n"
     "and watch: the rollout ended well."},
    {"1",
     "Something that slipway has no better word for; the message has all that is known. Of\n"
     "the controller its own log tells more: journalctl -u slipway-controller."},
    {"2",
     "Nothing was done. The message names the word that was not understood; `slipway help\n"
     "COMMAND` shows how it is used."},
    {"3",
     "Nothing was done. The message shows the place in the file; `slipway explain` knows the\n"
     "code beside it, and `slipway plan validate` checks a plan without a controller."},
    {"4",
     "No certificate was found, or the controller does not let it do this. `slipway config\n"
     "view --origin` shows which one is used, `slipway doctor` how long it is good for;\n"
     "`slipway-controller operator add NAME` makes another."},
    {"5",
     "No host, rollout, release, context or file of that name. `slipway fleet status`,\n"
     "`history` and `release list` show what there is."},
    {"6",
     "It may be done, but not now: another rollout holds a host, or the rollout is in a\n"
     "state in which this cannot be asked of it. The message says what stands in the way;\n"
     "try again when that has ended."},
    {"7",
     "Nobody answers at the controller's address. Rollouts and services are not touched by\n"
     "that. `slipway config view --origin` shows the address and where it comes from,\n"
     "systemctl status slipway-controller on its machine whether it runs."},
    {"8",
     "--timeout is over, the rollout is not: it goes on. `slipway watch` follows it again,\n"
     "`slipway abort` ends it."},
    {"10",
     "The rollout failed and hosts are on different versions, or something on them is not\n"
     "well. `slipway status` names them and what to do: retry, skip or rollback."},
    {"11",
     "The new version failed, and the old one is back on every host and healthy. Nothing is\n"
     "urgent; `slipway logs ROLLOUT --failed` shows why it failed."},
    {"12",
     "Somebody ended the rollout; `slipway status` says who and why, and what runs where. The\n"
     "fleet was left as it was, unless --rollback was given."},
    {"13",
     "The rollout waits until a person decides, and --no-wait-approval did not want to wait\n"
     "with it. `slipway status` says what for."},
    {"20",
     "Only with --exit-code or --check, so that a script can ask: the plans decide otherwise\n"
     "(plan diff), hosts drift (fleet drift), or a plan would be laid out anew (plan fmt)."},
    {"30",
     "`slipway doctor` found what keeps rollouts from going well; `slipway release verify`\n"
     "found content that is not what was pushed. The lines above name it."},
    {"31",
     "`slipway doctor --strict` found nothing broken, but something that will be or that is\n"
     "unlike the rest. Without --strict that is 0."},
    {"130",
     "Ctrl-C ends only this program. The rollout goes on: `slipway watch` follows it again,\n"
     "`slipway abort` ends it."},
    {"143",
     "SIGTERM ended only this program. The rollout goes on: `slipway watch` follows it again,\n"
     "`slipway abort` ends it."},
};

}  // namespace

std::string_view ExplanationOf(std::string_view code) {
  for (const Explanation& explanation : kExplanations) {
    if (explanation.first == code) return explanation.second;
  }
  return "";
}

}  // namespace slipway::cli
