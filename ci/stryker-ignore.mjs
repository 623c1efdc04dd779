/**
 * What Stryker leaves alone (stryker.config.json): the model's own assertions. One that never fails cannot be told from
 * none, and what it says where it does is for people.
 */
const isAssertion = ({ node }) =>
  node.type === "CallExpression" &&
  node.callee.type === "Identifier" &&
  node.callee.name === "assert";

export const strykerPlugins = [
  {
    kind: "Ignore",
    name: "assertions",
    value: {
      shouldIgnore: (path) =>
        isAssertion(path) ? "an assertion that holds changes nothing" : undefined,
    },
  },
];
