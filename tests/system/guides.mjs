// Taking the guides apart: their fenced blocks, the commands of a transcript, and whether an output is the one shown.
// The conventions are told at the top of docs.test.mjs.

// The blocks of a Markdown text: { language, text, line }, where line is that of the block's first line of text.
export function blocksOf(markdown) {
	const blocks = [];
	let open = null;
	markdown.split('\n').forEach((text, i) => {
		const fence = text.match(/^ {0,3}(`{3,})\s*(\S*)/);
		if (!open && fence) open = { fence: fence[1], language: fence[2], lines: [], line: i + 2 };
		else if (open && fence && fence[1].length >= open.fence.length && fence[2] === '') {
			blocks.push({ language: open.language, text: open.lines.join('\n') + '\n', line: open.line });
			open = null;
		} else if (open) open.lines.push(text);
	});
	if (open) throw new Error(`line ${open.line - 1}: a block is never closed`);
	return blocks;
}

// What the blocks of a language show below a heading of the third level, up to the next of them.
export function shownUnder(markdown, heading, language) {
	const from = markdown.indexOf(`### ${heading}\n`), end = markdown.indexOf('\n### ', from + 1);
	if (from < 0) throw new Error(`there is no heading "${heading}"`);
	return blocksOf(markdown.slice(from, end < 0 ? undefined : end)).filter((block) => block.language === language).map((block) => block.text).join('\n');
}

// The commands of a transcript: { command, status, output (null: not shown), line }. A block without "$ " has none.
export function commandsOf({ text, line }) {
	const commands = [];
	let current = null;
	text.replace(/\n$/, '').split('\n').forEach((row, i) => {
		if (row.startsWith('$ ')) {
			current = { command: row.slice(2), output: null, line: line + i };
			commands.push(current);
		} else if (current && current.output === null && (row.startsWith('> ') || /\\$/.test(current.command))) {
			current.command += `\n${row.replace(/^> /, '')}`;
		} else if (current) {
			current.output = current.output === null ? row : `${current.output}\n${row}`;
		}
	});
	for (const command of commands) {
		command.status = Number(command.command.match(/# exit status (\d+)\s*$/)?.[1] ?? 0);
		if (command.output?.trim() === '') command.output = null;
	}
	return commands;
}

// Whether `actual` is what `shown` says: "…" in a line stands for anything in that line, a line of "…" for any lines.
export function matches(shown, actual) {
	const clean = (text) => text.split('\n').map((row) => row.trimEnd()).join('\n').replace(/\n+$/, '');
	const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	const rows = clean(shown).split('\n').map((row) => (row.trim() === '…'
		? '(?:[^\\n]*\\n)*?'
		: `${row.split('…').map(literal).join('[^\\n]*')}\\n`));
	return new RegExp(`^${rows.join('')}$`).test(`${clean(actual)}\n`);
}

// The relative links of a Markdown text outside of its blocks: { target, line }.
export function linksOf(markdown) {
	const links = [];
	let inBlock = false;
	markdown.split('\n').forEach((text, i) => {
		if (/^ {0,3}```/.test(text)) inBlock = !inBlock;
		if (inBlock) return;
		for (const [, target] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
			if (!/^[a-z]+:/.test(target)) links.push({ target, line: i + 1 });
		}
	});
	return links;
}
