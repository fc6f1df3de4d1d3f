/* Pages that change their address without being loaded anew. */

import { cameFrom } from './context';

const here = () => location.href.split('#')[0];

/* `leaves` is called when the page becomes another view, and `arrived` once its own script has had its turn. */
export function startNavigation(leaves: () => void, arrived: () => void) {
	let last = here();
	const moved = () => {
		const now = here();
		if (now === last) return;
		cameFrom(last);
		last = now;
		leaves();
		setTimeout(arrived);
	};
	for (const name of ['pushState', 'replaceState'] as const) {
		const original = history[name];
		history[name] = function (...args) {
			original.apply(this, args);
			moved();
		};
	}
	addEventListener('popstate', moved);
	/* Come back to, as it was left. */
	addEventListener('pageshow', ({ persisted }) => persisted && arrived());
}
