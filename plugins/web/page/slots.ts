/* The elements with data-fw-slot. Until its answer is there a slot is hidden, in its place, for no longer than the time budget; whoever
 * has seen the default keeps it. */

import type { Answer, Content, Decision, Renderer } from './api';
import { context } from './context';
import { follow } from './live';
import { anonymousId, remembers, user } from './person';
import { watch, unwatch } from './seen';
import { api, budget, expected, writeKey } from './settings';
import { fill } from './template';

const selector = '[data-fw-slot]';

interface Place {
	slot: string;
	original: Node[];                       /* what the page had there: its default */
	template: HTMLTemplateElement | null;
	shows?: string;                         /* the decision that is shown, as text */
	settled?: boolean;                      /* it was decided once, and is in view */
}

const places = new WeakMap<HTMLElement, Place>();
const renderers = new Map<string, Renderer>();
let answers = new Map<string, Promise<Answer | null>>(); /* of this view of the page, by slot */
let looking = 0, awaiting = false;

/* A plain body with the key in it: a browser sends it without asking before. */
export async function decide(slots: string[]): Promise<Answer | null> {
	if (!navigator.onLine) return null;
	const who = remembers() ? user : {};
	try {
		const answer = await fetch(api + 'decide', {
			method: 'POST', credentials: 'omit', signal: AbortSignal.timeout(budget),
			body: JSON.stringify({ writeKey, anonymousId: anonymousId(), ...who, slots, context: context() }),
		});
		return answer.ok ? await answer.json() : null;
	} catch {
		return null;
	}
}

/* One question for all that was not asked yet. */
function ask(slots: string[]) {
	const fresh = [...new Set(slots)].filter((slot) => !answers.has(slot));
	if (!fresh.length) return;
	const answer = decide(fresh);
	for (const slot of fresh) answers.set(slot, answer);
}

/* Of a slot that is not settled: its time is over, and whoever looks sees the default. */
const isVisible = (element: HTMLElement) => getComputedStyle(element).visibility === 'visible';
const hasDefault = (element: HTMLElement) => element.textContent!.trim() !== '' || !!element.querySelector('img,picture,svg,video,canvas,iframe');

/* What the style sheet waits for: data-fw says what became of the slot. */
function mark(element: HTMLElement, state: string) {
	element.dataset.fw = state;
	places.get(element)!.settled = true;
}

function rendered(element: HTMLElement, place: Place, content: Content, decision: Decision) {
	const render = renderers.get(place.slot);
	const items = decision.winners.length ? decision.winners : [{ content }];
	const before = [...element.childNodes];
	try {
		if (render) render(content, element, decision);
		else element.replaceChildren(fill(place.template!, items));
	} catch (error) {
		element.replaceChildren(...before);
		reportError(error);
		return false;
	}
	return true;
}

/* Content is made where there is any; otherwise the page's own default is there, or comes back. */
function show(element: HTMLElement, place: Place, { decisionId, decisions }: Answer, told?: boolean) {
	const decision = decisions[place.slot];
	const text = JSON.stringify(decision.winners.length ? decision.winners : decision.content);
	if (told && text === place.shows) return; /* it is the same view of it */
	if (element.contains(document.activeElement)) return; /* somebody is in it */
	if (text !== place.shows) {
		unwatch(element);
		const made = decision.content && rendered(element, place, decision.content, decision);
		if (!made && place.shows) element.replaceChildren(...place.original);
		place.shows = made ? text : undefined;
	}
	if (place.shows) watch(element, place.slot, decisionId, decision.winners.map(({ rule }) => rule));
	mark(element, place.shows ? decision.reason : 'default');
}

async function settle(element: HTMLElement, place: Place, told?: boolean) {
	const asked = answers.get(place.slot);
	const answer = await asked;
	if (answers.get(place.slot) !== asked) return; /* the page is another by now */
	const decision = answer?.decisions[place.slot];
	if (!decision) mark(element, place.shows ? element.dataset.fw! : 'off');
	else if (!place.settled && isVisible(element)) mark(element, 'late');
	/* Whoever fills it may be on his way. */
	else if (!decision.content || place.template || renderers.has(place.slot)) show(element, place, answer, told);
}

/* A slot that the server filled says with which decision, and is not asked for. */
function take(element: HTMLElement): Place {
	const { fwSlot, fwDecision, fwRule } = element.dataset;
	const slot = fwSlot!;
	const template = element.querySelector<HTMLTemplateElement>(':scope > template')
		?? document.querySelector<HTMLTemplateElement>(`template[data-fw-template="${CSS.escape(slot)}"]`);
	const place: Place = { slot, template, original: [...element.childNodes] };
	places.set(element, place);
	if (fwDecision) {
		watch(element, slot, fwDecision, fwRule ? [fwRule] : []);
		mark(element, 'server');
	}
	return place;
}

/* Finds the slots that are new, or all for a new view of the page, and asks for them. */
function look(all: boolean) {
	const wanted: [HTMLElement, Place][] = [];
	for (const element of document.querySelectorAll<HTMLElement>(selector)) {
		const known = places.get(element), place = known ?? take(element);
		if (element.dataset.fw !== 'server' && (!known || all)) wanted.push([element, place]);
	}
	ask(wanted.map(([, { slot }]) => slot));
	for (const [element, place] of wanted) settle(element, place);
	if (wanted.length) followAll();
}

/* What the page shows is something else. */
function heard(answer: Answer) {
	const given = Promise.resolve(answer);
	for (const slot in answer.decisions) answers.set(slot, given);
	for (const element of document.querySelectorAll<HTMLElement>(selector)) {
		const place = places.get(element);
		if (place && element.dataset.fw !== 'server' && answer.decisions[place.slot]) settle(element, place, true);
	}
}

/* All slots of this view, once they are decided. */
async function followAll() {
	const view = answers, slots = [...view.keys()];
	const given = await Promise.all(new Set(view.values()));
	if (view === answers && slots.length === view.size) follow(slots, given.flatMap((answer) => answer?.decisionId ?? []), heard);
}

/* Before the next frame is painted. */
function lookSoon() {
	looking ||= requestAnimationFrame(() => {
		looking = 0;
		if (!awaiting && (document.readyState !== 'loading' || expected.length)) look(false);
	});
}

/* The page is about to be another view: what is new belongs to that one's question. */
export function awaitView() {
	awaiting = true;
}

/* Another view of the page, or another answer to who may be known: all is asked anew, in one question. */
export function lookAgain() {
	answers = new Map();
	awaiting = false;
	unwatch();
	look(true);
}

export function setRenderer(slot: string, renderer: Renderer) {
	renderers.set(slot, renderer);
	for (const element of document.querySelectorAll<HTMLElement>(selector)) {
		const place = places.get(element);
		if (place?.slot === slot && !place.settled) settle(element, place);
	}
}

/* Hides the slots that are yet to be decided, for as long as the budget says; those whose default has been painted stay as they are. */
function hide() {
	const painted = performance.getEntriesByType('paint').length > 0;
	for (const element of document.querySelectorAll<HTMLElement>(selector)) {
		if (!painted || !isVisible(element) || !hasDefault(element)) continue;
		take(element);
		if (element.dataset.fw !== 'server') mark(element, 'late');
	}
	const sheet = new CSSStyleSheet();
	sheet.replaceSync('@keyframes fw-default{to{visibility:visible}}'
		+ `[data-fw-slot]:not([data-fw],[data-fw-decision]){visibility:hidden;animation:fw-default 0s ${budget}ms forwards}`);
	document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

export function startSlots() {
	hide();
	ask(expected);
	new MutationObserver(lookSoon).observe(document, { childList: true, subtree: true });
	if (document.readyState === 'loading' && !expected.length) document.addEventListener('DOMContentLoaded', () => look(false));
	else look(false);
}
