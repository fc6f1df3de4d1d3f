/* What a page may call. fw.d.ts is this file, compiled. */

/** What a rule shows: whatever JSON can say. */
export type Content = Record<string, any> | any[];

export interface Winner { rule: string; content: Content }

/** What a slot shows, and why. */
export interface Decision {
	reason: 'rule' | 'default' | 'none' | 'holdout';
	content: Content | null;
	winners: Winner[];
	error?: { code: string; message: string; hint?: string };
}

export interface Answer {
	decisionId: string;
	ruleSet: string;
	degraded?: true;
	decisions: Record<string, Decision>;
}

export type Properties = Record<string, unknown>;

/** Segment's options of an event. `context` is added to what the page says of itself; `context.userHash` proves a userId. */
export interface Options {
	context?: Properties;
	timestamp?: string | number | Date;
	messageId?: string;
}

/** Puts content into a slot's element. What it throws leaves the default. */
export type Renderer = (content: Content, element: HTMLElement, decision: Decision) => void;

export type Call =
	| ((fw: Floorwalker) => void)
	| { [name in Exclude<keyof Floorwalker, 'push'>]: [name, ...Parameters<Floorwalker[name]>] }[Exclude<keyof Floorwalker, 'push'>];

export interface Floorwalker {
	/** Something happened: "Product Viewed" and the other names of Segment's e-commerce events. */
	track(event: string, properties?: Properties, options?: Options): void;
	/** Who it is, on this page; prove it by `{ context: { userHash } }`. */
	identify(userId?: string | null, traits?: Properties, options?: Options): void;
	/** A page is looked at. Sent by itself, unless the script has data-page="off". */
	page(category?: string | null, name?: string | null, properties?: Properties, options?: Options): void;
	/** What the visitor says of purposes: { analytics: true, personalization: false }. What is not named stays as it was said. */
	consent(purposes: Record<string, boolean>): void;
	/** Who fills the slots of that name; the slots that wait are filled by it. */
	render(slot: string, renderer: Renderer): void;
	/** Asks for slots that the page fills itself; null: no answer within the time budget. */
	decide(slots: string[]): Promise<Answer | null>;
	/** Somebody has logged out: forgets the userId and the anonymousId. */
	reset(): void;
	/** Calls, as an array pushed before fw.js was there has them: functions, or ["track", "Product Viewed", {}]. */
	push(...calls: Call[]): void;
}

declare global {
	interface Window { fw: Floorwalker | Call[] }
}
