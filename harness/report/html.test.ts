/**
 * The report in HTML as text: what is in it, and that nothing in it can be more than text.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../host/package.ts";
import { html } from "./html.ts";
import { exampleOutcome, withFindings } from "./html-example.ts";
import type { Outcome } from "./outcome.ts";

const HOSTILE = `</script><script>document.title="owned"</script><img src="http://a.invalid/x" onerror="alert(1)">`;

/** With what a kernel, or whoever wrote a file, may have put there. */
function hostileOutcome(): Outcome {
  const example = exampleOutcome();
  const [subtest] = example.subtests;
  const [finding] = subtest!.findings;
  const divergence = { ...finding!.divergence, message: HOSTILE, evidence: [HOSTILE, "<!--"] };
  const hostile = { ...finding!, divergence, command: HOSTILE, named: [HOSTILE] };
  const mine = { ...subtest!, name: HOSTILE, mountOptions: HOSTILE, findings: [hostile] };
  const kernel = { ...example.kernel!, release: HOSTILE };
  return { ...example, host: HOSTILE, kernel, met: { [`${HOSTILE}|hole`]: 1 }, subtests: [mine] };
}

test("nothing that was found ends the script, or an attribute, or is markup", () => {
  const document = html(hostileOutcome());
  expect(document.match(/<script\b/g)).toHaveLength(2);
  expect(document.match(/<\/script>/g)).toHaveLength(2);
  expect(document).not.toContain("<img");
  expect(document).not.toContain("<!--");
  expect(document).toContain("&lt;/script&gt;&lt;script&gt;document.title=&quot;owned&quot;");
});

test("the data is JSON in which no tag can begin", () => {
  const data = /<script type="application\/json" id="timelines">(.*?)<\/script>/s.exec(
    html(hostileOutcome()),
  )![1]!;
  expect(data).not.toContain("<");
  expect(JSON.parse(data)).toHaveLength(1);
});

test("its policy allows its own style and script alone", () => {
  const document = html(exampleOutcome());
  const policy = /Content-Security-Policy"\s+content="([^"]*)"/.exec(document)![1]!;
  expect(policy.replaceAll(/sha256-[\w+/=]{44}/g, "digest")).toBe(
    "default-src &#39;none&#39;; style-src &#39;digest&#39;; script-src &#39;digest&#39;; " +
      "base-uri &#39;none&#39;; form-action &#39;none&#39;",
  );
});

test("findings are in order, the worst first, whatever the variant", () => {
  const document = html(exampleOutcome());
  const ranks = [...document.matchAll(/<p class="kicker">.*?rank-(\d)/gs)].map(([, rank]) => rank);
  expect(ranks).toEqual(["1", "3", "3", "3", "3", "3", "4", "5"]);
});

test("it is said how often a finding was met, and what was accepted comes last", () => {
  const example = exampleOutcome();
  const subtests = example.subtests.map((subtest) => ({
    ...subtest,
    findings: subtest.findings.map((finding) =>
      finding.severity === "data" ? { ...finding, met: 12, accepted: "known.json" } : finding,
    ),
  }));
  const document = html({ ...example, subtests });
  const last = document.slice(document.lastIndexOf("<article"));
  expect(last).toContain("met in 12 cases");
  expect(last).toMatch(/Accepted: <code>known\.json<\/code>/);
});

test("what several variants show is one finding", () => {
  const example = exampleOutcome();
  const [first, ...others] = example.subtests;
  const findings = first!.findings.slice(0, 1).map((one) => ({ ...one, met: 7 }));
  const subtests = [first!, ...others].map((one) => ({
    ...one,
    findings: findings.map((finding) => ({ ...finding, variant: one.name })),
  }));
  const document = html({ ...example, subtests });
  expect(document.match(/<article/g)).toHaveLength(1);
  expect(document).toContain("also in 1k-delalloc (7 cases), 4k-thin (7 cases)");
  expect(document).toContain("1 finding in 6 of 6 variants");
});

test("a finding has its case in each form that has words for it, and says why one has none", () => {
  const document = html(exampleOutcome());
  expect(document).toContain("cc -o case case.c");
  expect(document).toContain("Why that is wrong");
  expect(document).toMatch(/kernel <code>fs\/ext4\/[\w.]+ \w+\(\)/);
  expect(document).toContain("Subject: ext4: ");
  expect(document).toContain(
    "cannot be written as a script: no program stops in the middle of a write",
  );
  expect(document).toContain("ext4-conform replay --strict counterexamples/");
});

test("of a cache that is wrong it is shown what it has", () => {
  const example = exampleOutcome();
  const subtests = example.subtests.map((subtest) => ({
    ...subtest,
    findings: subtest.findings.slice(0, 1).map((finding) => {
      const { seen: was, ...divergence } = finding.divergence;
      const seen = { ...was!, cache: [{ lblk: 3, len: 2, state: "delayed" as const }] };
      return { ...finding, divergence: { ...divergence, kind: "cache" as const, seen } };
    }),
  }));
  expect(html({ ...example, subtests })).toMatch(/cache<\/th>\s*<td>-<\/td>\s*<td>3-4 delayed/);
  expect(html(example)).not.toContain(">cache</th>");
});

test("a verdict over what is known to be worse is no all-clear", () => {
  const example = exampleOutcome();
  const deviations = { "first-byte-not-ordered": 2, "failed-write-moves-size": 30 };
  const subtests = example.subtests.map((one) => ({ ...one, findings: [], deviations }));
  expect(html({ ...example, verdict: "conforms", subtests })).toContain(
    "Known: data is lost, or somebody else&#39;s is shown (first-byte-not-ordered).",
  );
});

test("it is small where nothing was found", () => {
  const { met: _, ...rest } = exampleOutcome();
  const subtests = rest.subtests.map((one) => ({ ...one, findings: [], status: "pass" as const }));
  const document = html({ ...rest, verdict: "conforms", subtests });
  expect(document).toContain("No unnamed divergence in");
  expect(document).not.toContain("Known: ");
  expect(document.length).toBeLessThan(60_000);
});

test("fifty findings are written in a moment", () => {
  const started = performance.now();
  const document = html(withFindings(exampleOutcome(), 50));
  expect(document.match(/<article/g)).toHaveLength(50);
  expect(document.length).toBeLessThan(2_000_000);
  expect(performance.now() - started).toBeLessThan(60_000);
});

test("the lines of a patch are shown, those that did not run among them", () => {
  const patch = {
    patch: "0015.patch",
    added: 12,
    absent: 1,
    files: [
      {
        name: "fs/ext4/inode.c",
        functions: [
          {
            name: "ext4_iomap_buffered_begin",
            calls: 1234,
            lines: [
              { number: 3900, text: "\tif (a < b)", count: 1234 },
              { number: 3901, text: "\t\treturn -EIO;", count: 0 },
            ],
          },
        ],
      },
    ],
    unmeasured: ["mm/filemap.c"],
  };
  const document = html({ ...exampleOutcome(), patch });
  expect(document).toMatch(/1 of 2 lines ran/);
  expect(document).toContain("if (a &lt; b)");
  expect(document).toContain("Not measured: mm/filemap.c.");
});

test("the picture in the documents is small", () => {
  for (const scheme of ["light", "dark"]) {
    const picture = readFileSync(join(packageRoot, "harness", "report", `html-${scheme}.png`));
    expect(picture.subarray(1, 4).toString("latin1")).toBe("PNG");
    expect(picture.length).toBeLessThan(150_000);
  }
});
