/* What was seen and clicked of what was decided: Promotion Viewed, when half of it was in view for a second, and Promotion Clicked. */

import { send } from './events';

interface Shown { decision: string; slot: string; rules: string[]; viewed?: boolean; timer?: number }

const shown = new Map<Element, Shown>();
const lasting = 1000;

/* FNV-1a: the same view of the same decision has the same messageId, whoever reports it. */
function hash(text: string) {
	let h = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
	return (h >>> 0).toString(36);
}

function tell(event: string, { decision, slot, rules }: Shown, once: boolean) {
	for (const rule of rules)
		send('track', { event, properties: { promotion_id: rule, name: rule, position: slot, decision_id: decision } },
			once ? { messageId: `v-${decision}-${hash(`${slot} ${rule}`)}` } : {});
}

function view(s: Shown) {
	if (!s.viewed) tell('Promotion Viewed', s, true);
	s.viewed = true;
}

function stop(s: Shown) {
	clearTimeout(s.timer);
	s.timer = undefined;
}

/* Of what is taller than the window, half a window's worth is enough. */
function look(entries: IntersectionObserverEntry[]) {
	for (const { target, intersectionRatio, intersectionRect } of entries) {
		const s = shown.get(target);
		if (!s || s.viewed) continue;
		const half = document.visibilityState === 'visible' && intersectionRect.height > 0
			&& (intersectionRatio >= 0.5 || intersectionRect.height * 2 >= innerHeight);
		if (!half) stop(s);
		else s.timer ??= window.setTimeout(view, lasting, s);
	}
}

let made: IntersectionObserver | undefined; /* once something is shown */
const observer = () => made ??= new IntersectionObserver(look, { threshold: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] });

/* `rules` are those whose content is not marked in the element by data-fw-rule. */
export function watch(element: HTMLElement, slot: string, decision: string, rules: string[]) {
	unwatch(element);
	const parts = element.querySelectorAll<HTMLElement>('[data-fw-rule]');
	const own = parts.length ? [] : rules;
	for (const part of parts) note(part, { decision, slot, rules: [part.dataset.fwRule!] });
	if (own.length) note(element, { decision, slot, rules: own });
}

function note(element: Element, s: Shown) {
	shown.set(element, s);
	observer().observe(element);
}

/* Of an element that shows something else now, and of all that has left the page. */
export function unwatch(element?: Element) {
	for (const [part, s] of shown) {
		if (part.isConnected && !element?.contains(part)) continue;
		stop(s);
		observer().unobserve(part);
		shown.delete(part);
	}
}

function click(event: MouseEvent) {
	if (event.button > 1) return;
	const action = (event.target as Element).closest?.('a[href],button,input,select,summary,[role=button],[role=link]');
	for (let e: Element | null = action ?? null; e; e = e.parentElement) {
		const s = shown.get(e);
		if (!s) continue;
		view(s);
		tell('Promotion Clicked', s, false);
		return;
	}
}

export function startSeeing() {
	document.addEventListener('click', click, true);
	document.addEventListener('auxclick', click, true);
	/* A tab that nobody looks at shows nothing; observing anew tells what is in view once it is looked at again. */
	document.addEventListener('visibilitychange', () => {
		for (const [element, s] of shown) {
			stop(s);
			observer().unobserve(element);
			observer().observe(element);
		}
	});
}
