/** What a watch is told of what happens, case by case; every kind of gateway is held against it. */

/**
 * A case. Steps are `make`, `set`, `label`, `delete` with an object's name, and `label=value` or
 * `data:value`; a prefix such as `other/` names another namespace. The watch begins at the revision
 * before `during`, unless its query says otherwise. Of each event its type, its object's name, the label
 * `on`, the datum `v`, and the step of `during` whose revision it has, where one is wanted.
 *
 * The last event is that of the last step: what came before it and is not listed was rightly silent.
 */
export type WatchCase = {
  readonly name: string;
  readonly given?: readonly string[];
  readonly query: string;
  readonly during: readonly string[];
  readonly events: readonly string[];
};

const on = "labelSelector=on%3D1";
const named = "fieldSelector=metadata.name%3Da";

export const watchCases: readonly WatchCase[] = [
  // What a label selector selects.
  {
    name: "no selector: each change",
    query: "",
    during: ["make a v:1", "set a v:2", "delete a"],
    events: ["ADDED a v:1 #0", "MODIFIED a v:2 #1", "DELETED a v:2 #2"],
  },
  {
    name: "comes to match: ADDED",
    given: ["make a"],
    query: on,
    during: ["set a v:1", "label a on=1"],
    events: ["ADDED a on=1 v:1 #1"],
  },
  {
    name: "goes on matching: MODIFIED",
    given: ["make a on=1"],
    query: on,
    during: ["set a v:1", "label a more=1"],
    events: ["MODIFIED a on=1 v:1 #0", "MODIFIED a on=1 v:1 #1"],
  },
  {
    name: "ceases to match: DELETED, as it was, at the new revision",
    given: ["make a on=1 v:1"],
    query: on,
    during: ["label a on=2"],
    events: ["DELETED a on=1 v:1 #0"],
  },
  {
    name: "loses its label and gets it back",
    given: ["make a on=1"],
    query: on,
    during: ["label a on=", "set a v:1", "label a on=1"],
    events: ["DELETED a on=1 #0", "ADDED a on=1 v:1 #2"],
  },
  {
    name: "is deleted while it matches: DELETED, at the deletion's revision",
    given: ["make a on=1 v:1"],
    query: on,
    during: ["delete a"],
    events: ["DELETED a on=1 v:1 #0"],
  },
  {
    name: "is deleted after it ceased to match: nothing more",
    given: ["make a on=1"],
    query: on,
    during: ["label a on=", "delete a", "make b on=1"],
    events: ["DELETED a on=1 #0", "ADDED b on=1 #2"],
  },
  {
    name: "is deleted without having matched: nothing",
    given: ["make a"],
    query: on,
    during: ["set a v:1", "delete a", "make b on=1"],
    events: ["ADDED b on=1 #2"],
  },
  {
    name: "is made and deleted without matching: nothing",
    query: on,
    during: ["make a", "delete a", "make b on=1"],
    events: ["ADDED b on=1 #2"],
  },
  {
    name: "is deleted and made again: DELETED, ADDED",
    given: ["make a on=1 v:1"],
    query: on,
    during: ["delete a", "make a on=1 v:2"],
    events: ["DELETED a on=1 v:1 #0", "ADDED a on=1 v:2 #1"],
  },
  {
    name: "is made again without its label: DELETED only",
    given: ["make a on=1"],
    query: on,
    during: ["delete a", "make a", "label a on=1"],
    events: ["DELETED a on=1 #0", "ADDED a on=1 #2"],
  },
  {
    name: "moves within a set: MODIFIED",
    given: ["make a on=1"],
    query: "labelSelector=on+in+(1,2)",
    during: ["label a on=2", "label a on=3"],
    events: ["MODIFIED a on=2 #0", "DELETED a on=2 #1"],
  },
  {
    name: "is selected by what it is not",
    given: ["make a on=1"],
    query: "labelSelector=on!%3D1",
    during: ["label a on=2", "label a on=", "label a on=1"],
    events: ["ADDED a on=2 #0", "MODIFIED a #1", "DELETED a #2"],
  },
  {
    name: "is selected by a label that it has",
    given: ["make a"],
    query: "labelSelector=on",
    during: ["label a on=9", "label a on="],
    events: ["ADDED a on=9 #0", "DELETED a on=9 #1"],
  },
  {
    name: "is selected by a label that it has not",
    given: ["make a"],
    query: "labelSelector=!on",
    during: ["label a on=9", "label a on="],
    events: ["DELETED a #0", "ADDED a #1"],
  },
  {
    name: "is selected by a number",
    given: ["make a on=5"],
    query: "labelSelector=on%3E5",
    during: ["label a on=6", "label a on=5"],
    events: ["ADDED a on=6 #0", "DELETED a on=6 #1"],
  },
  // What a field selector selects.
  {
    name: "one object by its name",
    given: ["make a", "make b"],
    query: named,
    during: ["set b v:1", "make ab", "set a v:1", "delete b", "delete a"],
    events: ["MODIFIED a v:1 #2", "DELETED a v:1 #4"],
  },
  {
    name: "one object that is not there yet",
    query: named,
    during: ["make b", "make a"],
    events: ["ADDED a #1"],
  },
  {
    name: "all but one",
    given: ["make a"],
    query: "fieldSelector=metadata.name!%3Da",
    during: ["set a v:1", "make b"],
    events: ["ADDED b #1"],
  },
  {
    name: "a name and a label",
    given: ["make a", "make b on=1"],
    query: `${named}&${on}`,
    during: ["set b v:1", "label a on=1", "label a on="],
    events: ["ADDED a on=1 #1", "DELETED a on=1 #2"],
  },
  {
    name: "a namespace's field",
    given: ["make a"],
    query: "fieldSelector=metadata.namespace%3Delsewhere",
    during: ["set a v:1"],
    events: [],
  },
  // Whose changes.
  {
    name: "a namespace's own",
    query: "",
    during: ["other/make a", "make b"],
    events: ["ADDED b #1"],
  },
  {
    name: "several changes of one object, each",
    given: ["make a"],
    query: "",
    during: Array.from({ length: 20 }, (_, nth) => `set a v:${nth}`),
    events: Array.from({ length: 20 }, (_, nth) => `MODIFIED a v:${nth} #${nth}`),
  },
  // Where it begins.
  {
    name: "no revision: what is there, then what comes",
    given: ["make b", "make a v:1"],
    query: "resourceVersion=",
    during: ["set b v:2"],
    events: ["ADDED a v:1", "ADDED b", "MODIFIED b v:2 #0"],
  },
  {
    name: "revision 0: the same",
    given: ["make a on=1", "make b"],
    query: `resourceVersion=0&${on}`,
    during: ["label b on=1"],
    events: ["ADDED a on=1", "ADDED b on=1 #0"],
  },
  {
    name: "initial events end with a bookmark",
    given: ["make b", "make a"],
    query:
      "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=",
    during: ["set a v:1"],
    events: ["ADDED a", "ADDED b", "BOOKMARK initial-events-end", "MODIFIED a v:1 #0"],
  },
  {
    name: "initial events not older than a revision",
    given: ["make a"],
    query: "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
    during: ["set a v:1"],
    events: ["ADDED a", "BOOKMARK initial-events-end", "MODIFIED a v:1 #0"],
  },
  {
    name: "no initial events: their end alone",
    query: `sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&${on}&resourceVersion=0`,
    given: ["make a"],
    during: ["label a on=1"],
    events: ["BOOKMARK initial-events-end", "ADDED a on=1 #0"],
  },
  {
    name: "initial events without bookmarks have no end",
    given: ["make a"],
    query: "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=",
    during: ["set a v:1"],
    events: ["ADDED a", "MODIFIED a v:1 #0"],
  },
  {
    name: "initial events refused: from now on",
    given: ["make a"],
    query: "sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=",
    during: ["set a v:1"],
    events: ["MODIFIED a v:1 #0"],
  },
  {
    name: "initial events refused, after a revision",
    given: ["make a"],
    query: "sendInitialEvents=false&resourceVersionMatch=NotOlderThan",
    during: ["set a v:1", "set a v:2"],
    events: ["MODIFIED a v:1 #0", "MODIFIED a v:2 #1"],
  },
];

/** Whether a case begins at a revision, so that it comes out the same for who asks afterwards. */
export const isAfterRevision = ({ query }: WatchCase): boolean =>
  !query.includes("resourceVersion=") && !query.includes("sendInitialEvents=true");
