/* A <template> filled with content: data-fw-text="headline", data-fw-attr="href:url, src:image.small", data-fw-if="price". Text stays
 * text, and an attribute can become neither script nor style. */

import type { Winner } from './api';

const at = (content: unknown, path: string) => path.trim().split('.').reduce((v: any, name) => v?.[name], content);

function setAttribute(element: Element, name: string, value: unknown) {
	if (/^(on|style$|srcdoc$)/i.test(name) || /^[\0- ]*javascript:/i.test(String(value).replace(/[\t\n\r]/g, ''))) return;
	element.setAttribute(name, String(value));
}

function bind(part: DocumentFragment, content: unknown) {
	for (const element of part.querySelectorAll<HTMLElement>('[data-fw-if],[data-fw-text],[data-fw-attr]')) {
		const { fwIf, fwText, fwAttr } = element.dataset;
		if (fwIf && !at(content, fwIf)) {
			element.remove();
			continue;
		}
		const text = fwText && at(content, fwText);
		if (text != null && fwText) element.textContent = String(text);
		for (const pair of fwAttr?.split(',') ?? []) {
			const [name, path] = pair.split(':');
			const value = at(content, path ?? name);
			if (value != null) setAttribute(element, name.trim(), value);
		}
	}
}

/* One copy a winner, each marked with its rule. */
export function fill(template: HTMLTemplateElement, items: Pick<Winner, 'content'>[] & Partial<Winner>[]) {
	const all = new DocumentFragment();
	for (const { rule, content } of items) {
		const part = document.importNode(template.content, true);
		bind(part, content);
		for (const child of part.children) if (rule) (child as HTMLElement).dataset.fwRule = rule;
		all.append(part);
	}
	return all;
}
