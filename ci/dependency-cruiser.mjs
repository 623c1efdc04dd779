/**
 * The order of the house: a room imports from rooms below it, and never from one above. Whoever
 * reads this list from the bottom to the top knows every word before it is used.
 *
 * Tests may reach for anything.
 */
const ROOMS = [
  // What other programs import.
  "harness/library",
  // What somebody asks for, one file a command.
  "harness/commands",
  // What tells two tables of the model apart; recordings; two kernels side by side.
  "harness/differences",
  "harness/trace",
  "harness/comparison",
  // What a person or a machine reads.
  "harness/report",
  // Its form for a browser, and what runs there.
  "harness/report/html/script",
  "harness/report/html",
  // A case as a program for whoever does not have this one.
  "harness/reproducer",
  // Jobs: generate, enumerate, explore, attempt, and the processes that do them.
  "harness/run",
  "harness/kernel-build",
  "harness/coverage",
  "harness/guest",
  // What goes between a process that asks and one that works.
  "harness/workers",
  "harness/explore",
  // What cases are performed on: an image, its mount, its subjects, what is expected there.
  "harness/session",
  // The kernel, by system calls and by programs: images, mounts, probes.
  "harness/subjects",
  "harness/stored",
  "harness/under-test",
  "harness/lockstep",
  "harness/contract",
  "harness/contract/promises",
  "harness/contract/step",
  "harness/finding",
  "harness/generation",
  // A folder an operation, and one table an aspect; the folders take from one another in one
  // direction as well.
  "harness/operations",
  "harness/operations/[a-z_]+",
  // What an operation's folder provides, and with what.
  "harness/aspects",
  // System calls and programs, without what their answers mean.
  "harness/system",
  // The commands as data: completion, the manual.
  "harness/command-line",
  "harness/draw",
  "harness/host",
  // Recipes of file systems and kernels, as data.
  "images",
  "harness/text",
  // What every room speaks of.
  "harness/case",
  "model/deviations/seeded",
  "model/deviations",
  "model",
  // Kernels, as changes to an earlier one.
  "model/kernels",
  "model/ext4",
  "model/iomap",
  "model/fs",
  "model/mm",
  "model/include",
];

const filesOf = (room) => `^${room}/[^/]+$`;
const TESTS = "[.]test[.]ts$";

const upward = ROOMS.flatMap((room, i) =>
  i === 0
    ? []
    : [
        {
          name: `below-${room}`,
          comment: `${room} imports from rooms below it: ci/dependency-cruiser.mjs has their order`,
          severity: "error",
          from: { path: filesOf(room) },
          to: { path: ROOMS.slice(0, i).map(filesOf) },
        },
      ],
);

export default {
  forbidden: [
    ...upward,
    {
      name: "no-room-without-a-place",
      comment: "a new folder gets its place in the list of ci/dependency-cruiser.mjs",
      severity: "error",
      from: {},
      to: { path: "^(harness|model|images)/", pathNot: ROOMS.map(filesOf) },
    },
    {
      name: "no-cycle-of-folders",
      comment: "two folders that import each other are one room, or a third one is missing",
      severity: "error",
      scope: "folder",
      from: { path: "^(harness|model|images)" },
      to: { circular: true },
    },
    {
      name: "harness-needs-no-properties",
      comment: "properties and ci use the harness, which knows of neither",
      severity: "error",
      from: { path: "^(harness|images)/" },
      to: { path: "^(properties|ci)/" },
    },
    {
      name: "model-is-pure",
      comment: "the model imports nothing but itself: no I/O, no clock, no randomness, no Node",
      severity: "error",
      from: { path: "^model/" },
      to: { pathNot: "^model/" },
    },
    {
      name: "model-knows-no-deviation",
      comment: "a deviation replaces entries of the model's table, which does not know of it",
      severity: "error",
      from: { path: "^model/", pathNot: "^model/deviations/" },
      to: { path: "^model/deviations/" },
    },
    {
      name: "contract-is-not-the-model",
      comment: "the contract takes from the model what both stand on, and nothing that it computes",
      severity: "error",
      from: { path: "^harness/contract/" },
      to: { path: "^model/", pathNot: "^model/include/" },
    },
    {
      name: "resolvable",
      comment: "it is not there",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    exclude: { path: TESTS },
    // Of a package what Node.js takes of it for an import.
    enhancedResolveOptions: { conditionNames: ["node", "import"], exportsFields: ["exports"] },
  },
};
