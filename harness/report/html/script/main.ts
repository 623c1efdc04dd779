/**
 * The script in a report: steps through the operations of a finding, copies, and changes between
 * light and dark. All that it shows of a step comes of the functions that wrote the document.
 */
import { curvesView, stepSentence, stepTitle, stepView } from "../step.ts";
import type { Timeline } from "../timeline.ts";

const timelines = JSON.parse(
  document.querySelector("#timelines")?.textContent ?? "[]",
) as Timeline[];

const articles = [...document.querySelectorAll<HTMLElement>("article[data-timeline]")];

/** The number of an element's article, and that of the step that it shows. */
function placeOf(article: HTMLElement): { timeline: Timeline; look: HTMLElement } | undefined {
  const timeline = timelines[Number(article.dataset["timeline"])];
  const look = article.querySelector<HTMLElement>(".look");
  return timeline === undefined || look === null ? undefined : { timeline, look };
}

function markCurrent(article: HTMLElement, current: number): void {
  for (const line of article.querySelectorAll<HTMLElement>("button.line")) {
    const isCurrent = Number(line.dataset["go"]) === current;
    if (isCurrent) line.setAttribute("aria-current", "step");
    else line.removeAttribute("aria-current");
    // What arrow keys reach is one stop of the Tab key.
    line.tabIndex = isCurrent ? 0 : -1;
  }
}

/** Show step number `to` of an article, or the first or last where there is none of that number. */
function show(article: HTMLElement, to: number, speaks = true): void {
  const place = placeOf(article);
  if (place === undefined) return;
  const { timeline, look } = place;
  const current = Math.max(0, Math.min(timeline.steps.length - 1, to));
  look.dataset["current"] = String(current);
  markCurrent(article, current);
  for (const button of look.querySelectorAll<HTMLButtonElement>("[data-by]")) {
    const next = current + Number(button.dataset["by"]);
    button.setAttribute("aria-disabled", String(timeline.steps[next] === undefined));
  }
  if (!speaks) return;
  const put = (selector: string, markup: string): void => {
    const element = article.querySelector(selector);
    if (element !== null) element.innerHTML = markup;
  };
  put(".step", String(stepView(timeline, current)));
  put(".curves", String(curvesView(timeline, current)));
  article.querySelector(".step-title")!.textContent = stepTitle(timeline, current);
  article.querySelector(".spoken")!.textContent = stepSentence(timeline, current);
}

const currentOf = (article: HTMLElement): number =>
  Number(placeOf(article)?.look.dataset["current"] ?? 0);

/** The article that has the focus, else the first of which something is in view. */
function articleInView(): HTMLElement | undefined {
  const focused = document.activeElement?.closest<HTMLElement>("article[data-timeline]");
  if (focused) return focused;
  return articles.find((one) => one.getBoundingClientRect().bottom > window.innerHeight / 3);
}

/** Where a key leads from step `current` of `count`; undefined where it does not lead anywhere. */
function target(key: string, current: number, count: number): number | undefined {
  const keys: Readonly<Record<string, number>> = {
    ArrowLeft: current - 1,
    ArrowUp: current - 1,
    ArrowRight: current + 1,
    ArrowDown: current + 1,
    Home: 0,
    End: count - 1,
  };
  return keys[key];
}

/** Only where nothing else would make use of them: within the list of operations, all of them. */
function isOurs(key: string, element: Element | null): boolean {
  if (element?.closest("button.line, .stepper")) return true;
  if (element?.closest("pre, .scrolls, summary")) return false;
  return key === "ArrowLeft" || key === "ArrowRight";
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const element = document.activeElement;
  const article = articleInView();
  if (article === undefined || !isOurs(event.key, element)) return;
  const count = placeOf(article)?.timeline.steps.length ?? 0;
  const to = target(event.key, currentOf(article), count);
  if (to === undefined) return;
  event.preventDefault();
  show(article, to);
  if (element?.closest("button.line")) {
    article.querySelector<HTMLElement>("button.line[aria-current]")?.focus();
  }
});

/** Say for a moment that it was done. */
function answer(button: HTMLElement, text: string): void {
  const before = button.dataset["text"] ?? button.textContent;
  button.dataset["text"] = before;
  button.textContent = text;
  setTimeout(() => (button.textContent = before), 1600);
}

/** Copy; where the browser does not let a page do that, select it for whoever presses the keys. */
async function copy(button: HTMLElement, element: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(element.textContent);
    answer(button, "Copied");
  } catch {
    getSelection()?.selectAllChildren(element);
    answer(button, "Press Ctrl+C");
  }
}

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const button = event.target.closest<HTMLElement>("[data-go], [data-by], [data-copy]");
  const article = button?.closest<HTMLElement>("article[data-timeline]");
  if (!button || !article) return;
  const { go, by, copy: id } = button.dataset;
  if (go !== undefined) show(article, Number(go));
  if (by !== undefined) show(article, currentOf(article) + Number(by));
  const element = id === undefined ? null : document.querySelector<HTMLElement>(`#${id}`);
  if (element !== null) void copy(button, element);
});

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const KEPT = "ext4-conform-theme";

/** What was chosen before; a browser may keep nothing for a file. */
function keptTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEPT);
    return THEMES.find((theme) => theme === kept) ?? "auto";
  } catch {
    return "auto";
  }
}

function applyTheme(theme: Theme, button: HTMLElement): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  button.textContent = `Theme: ${theme}`;
}

const themeButton = document.querySelector<HTMLElement>("button.theme");
if (themeButton !== null) {
  let theme = keptTheme();
  applyTheme(theme, themeButton);
  themeButton.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
    applyTheme(theme, themeButton);
    try {
      localStorage.setItem(KEPT, theme);
    } catch {
      // It is for this time only, then.
    }
  });
}

for (const hidden of document.querySelectorAll("[hidden]")) hidden.removeAttribute("hidden");
for (const article of articles) show(article, currentOf(article), false);
