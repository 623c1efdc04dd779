import * as fc from "fast-check";
import { expect, test } from "vitest";
import { html } from "./markup.ts";

test("text stays text wherever it is put", () => {
  const text = `<img src=x onerror='a("b")'>&amp;`;
  expect(String(html`<p title="${text}">${text}</p>`)).toBe(
    '<p title="&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;amp;">' +
      "&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;amp;</p>",
  );
});

test("markup stays markup, lists are put together, and nothing is shown of nothing", () => {
  const items = ["a", "<b>"].map((one) => html`<li>${one}</li>`);
  expect(String(html`${items}${undefined}${false}${0}`)).toBe("<li>a</li><li>&lt;b&gt;</li>0");
});

test("what is not there to be read is seen, lines and tabs stay", () => {
  expect(String(html`${"a\n\tb\u0000\u001b[31m\u202Ec\u2028"}`)).toBe("a\n\tb??[31m?c?");
});

test("no text makes a tag, ends an attribute or begins an entity", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const escaped = String(html`${text}`);
      expect(escaped).not.toMatch(/[<>"']/);
      expect(escaped.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
    }),
  );
});
