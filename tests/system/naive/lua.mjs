// Writes a rule set (README.md shows its shape) as Lua source text.

// One file, declarations in a fixed order: what a person reads when something differs.
export function toLua(set) {
	return declarations(set, plain).join('\n');
}

// Files by path: the declarations in random order over several files, with what must make no difference between them.
export function toFiles(set, random) {
	const writer = { shuffle: (list) => random.shuffle(list), locals: () => random.chance(0.15) };
	const paths = random.shuffle(['shop.lua', 'a/first.lua', 'winter/deep/er.lua', 'z.lua']).slice(0, random.between(1, 4));
	const files = new Map(paths.map((path) => [path, []]));
	for (const text of random.shuffle(declarations(set, writer))) files.get(random.pick(paths)).push(text);
	const written = {};
	for (const [path, texts] of files) written[path] = disguise(texts.join('\n'), random);
	if (random.chance(0.3)) written['_draft.lua'] = 'rule "not yet" {{{\n';
	if (random.chance(0.3)) written['a/.hidden.lua'] = 'this is no Lua\n';
	return written;
}

// A byte-order mark and CRLF are fine.
function disguise(text, random) {
	const lines = random.chance(0.1) ? text.replaceAll('\n', '\r\n') : text;
	return random.chance(0.1) ? `\ufeff${lines}` : lines;
}

const plain = { shuffle: (list) => list, locals: () => false };

function declarations(set, writer) {
	return [
		...set.slots.map((slot) => declare('slot', slot.id, [
			['channel', slot.channel && quote(slot.channel)], ['show_up_to', slot.showUpTo], ['default', slot.default && value(slot.default)]], writer)),
		...set.segments.map((segment) => declare('segment', segment.id, [['when', whole(segment.when, writer)]], writer)),
		...set.rules.map((rule) => writeRule(rule, writer)),
		...set.guards.map((guard) => declare('guard', guard.id, [
			['applies', guard.applies && value(guard.applies)], ['require', guard.require && whole(guard.require, writer)],
			['forbid', guard.forbid && whole(guard.forbid, writer)], ['because', quote(guard.because)]], writer)),
		...(set.caps ?? []).map((cap) => declare('cap', cap.id, [
			['applies', cap.applies && value(cap.applies)], ['limit', cap.limit], ['per', quote(cap.per)]], writer)),
	];
}

function writeRule(rule, writer) {
	const local = rule.when && writer.locals();
	const when = rule.when && whole(rule.when, writer);
	const text = declare('rule', rule.id, [
		['slot', quote(rule.slot)], ['priority', rule.priority], ['when', local ? 'condition' : when],
		['only_one_of', rule.onlyOneOf && quote(rule.onlyOneOf)], ['tags', rule.tags && value(rule.tags)],
		['rollout', rule.rollout], ['enabled', rule.enabled], ['starts', rule.starts && quote(rule.starts)],
		['ends', rule.ends && quote(rule.ends)], ['show', rule.show.content ? value(rule.show.content) : writeFunction(rule.show.body)]], writer);
	return local ? `do\n\tlocal condition = ${when}\n${text}end\n` : text;
}

function declare(word, id, fields, writer) {
	const lines = writer.shuffle(fields.filter(([, text]) => text !== undefined)).map(([name, text]) => `\t${name} = ${text},\n`);
	return `${word} ${quote(id)} {\n${lines.join('')}}\n`;
}

// ---- values ----

export function quote(text) {
	return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

const isName = (text) => /^[a-z_][a-z0-9_]*$/.test(text);
const key = (text) => (isName(text) ? text : `[${quote(text)}]`);

function value(of) {
	if (typeof of === 'string') return quote(of);
	if (typeof of !== 'object') return String(of);
	if (Array.isArray(of)) return `{ ${of.map(value).join(', ')} }`;
	const fields = Object.entries(of).map(([name, field]) => `${key(name)} = ${value(field)}`);
	return fields.length ? `{ ${fields.join(', ')} }` : '{}';
}

// ---- conditions ----

// A condition as the value of `when`, `require` or `forbid`.
function whole(condition, writer) {
	switch (condition.kind) {
	case 'function': return writeFunction(condition.body);
	case 'table': return items(condition, writer);
	default: return `${condition.kind} ${items(condition, writer)}`;
	}
}

function items(condition, writer) {
	return `{ ${writer.shuffle(condition.items.map((item) => writeItem(item, writer))).join(', ')} }`;
}

function writeItem(item, writer) {
	switch (item.kind) {
	case 'fact': return `${item.fact} = ${matcher(item.matcher)}`;
	case 'parts': return `${item.fact} = { ${item.parts.map(([part, of]) => `${part} = ${matcher(of)}`).join(', ')} }`;
	case 'query': return `${item.fact} = ${value(item.args)}`;
	default: return whole(item, writer);
	}
}

function matcher(of) {
	switch (of.is) {
	case 'equals': return value(of.value);
	case 'one_of': return value(of.values);
	case 'all_of': return `all_of ${value(of.values)}`;
	case 'not': return `is_not(${matcher(of.of)})`;
	case 'between': return `between(${value(of.low)}, ${value(of.high)})`;
	case 'known': case 'unknown': return `${of.is}()`;
	default: return `${of.is}(${value(of.value)})`;
	}
}

// ---- functions ----

function writeFunction(body) {
	return `function(v) ${writeBody(body)} end`;
}

const writeBody = (body) => body.map(writeStatement).join(' ');

function writeStatement(statement) {
	switch (statement.do) {
	case 'return': return statement.value ? `return ${expression(statement.value)}` : 'return';
	case 'if': return `if ${expression(statement.test)} then ${writeBody(statement.then)} end`;
	case 'assert': return `assert(${expression(statement.test)}, "not now")`;
	case 'error': return 'error("on purpose")';
	case 'spin': return 'while true do end';
	default: return statement.text;
	}
}

// Everything compound stands in brackets, so that no precedence has to be known.
function expression(of) {
	switch (of.is) {
	case 'value': return value(of.value);
	case 'fact': return `v.${of.path}`;
	case 'holds': return isName(of.name) ? `v.${of.path}.${of.name}` : `v.${of.path}[${quote(of.name)}]`;
	case 'segment': return `v.segment[${quote(of.name)}]`;
	case 'known': return `v:known ${quote(of.path)}`;
	case 'get': return `v:get(${quote(of.path)}, ${value(of.fallback)})`;
	case 'query': return `v:${of.fact} ${value(of.args)}`;
	case 'not': return `(not ${expression(of.a)})`;
	case 'table': return `{ ${of.fields.map(([name, field]) => `${key(name)} = ${expression(field)}`).join(', ')} }`;
	default: return `(${expression(of.a)} ${of.is} ${expression(of.b)})`;
	}
}
