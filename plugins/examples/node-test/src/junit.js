// Reads the JUnit XML that node writes, or as much of it as makes sense.
//
// Suites lie in each other as deep as tests do; entities are XML's own five and numbers, since a report has no business
// to define others. Node escapes quotes in attributes twice, which is left as it is: it shows in names and nowhere else.

// The tests in their order, each with its `path` (the names from the outermost suite to its own), `failures` and what
// `skipped` says; and why the file could be read no further, as `broken`, if not all of it could.
export function readJunit(xml) {
  const reading = { cases: [], open: [], foundRoot: false };
  let at = xml.startsWith('\ufeff') ? 1 : 0;
  try {
    while (at < xml.length) {
      at = xml[at] === '<' ? markup(reading, xml, at) : text(reading, xml, at);
    }
    if (!reading.foundRoot || reading.open.length > 0) {
      throw new Broken('ends too early');
    }
  } catch (error) {
    if (!(error instanceof Broken)) {
      throw error;
    }
    return { cases: reading.cases, broken: `the report ${error.message}` };
  }
  return { cases: reading.cases };
}

class Broken extends Error {}

// Takes what begins with `<` at this place; gives the place behind it.
function markup(reading, xml, at) {
  if (xml.startsWith('<!--', at)) {
    return behind(xml, '-->', at + 4);
  }
  if (xml.startsWith('<![CDATA[', at)) {
    const end = behind(xml, ']]>', at + 9);
    keep(reading, xml.slice(at + 9, end - 3));
    return end;
  }
  if (xml.startsWith('<?', at)) {
    return behind(xml, '?>', at + 2);
  }
  if (xml.startsWith('<!', at)) {
    return behindDeclaration(xml, at);
  }
  return xml.startsWith('</', at) ? endTag(reading, xml, at) : startTag(reading, xml, at);
}

function text(reading, xml, at) {
  const next = xml.indexOf('<', at);
  const end = next === -1 ? xml.length : next;
  const piece = xml.slice(at, end);
  if (reading.open.length === 0 && piece.trim() !== '') {
    throw new Broken('has text where an element is expected');
  }
  keep(reading, resolve(piece));
  return end;
}

function startTag(reading, xml, at) {
  const [name, afterName] = word(xml, at + 1);
  const attributes = {};
  let place = afterName;
  for (;;) {
    place = behindSpace(xml, place);
    if (xml.startsWith('/>', place) || xml[place] === '>') {
      break;
    }
    const [key, afterKey] = word(xml, place);
    const equals = behindSpace(xml, afterKey);
    const opening = behindSpace(xml, equals + 1);
    const quote = xml[opening];
    if (xml[equals] !== '=' || (quote !== '"' && quote !== "'")) {
      throw new Broken(`has an attribute without a value at character ${place}`);
    }
    place = behind(xml, quote, opening + 1);
    attributes[key] = resolve(xml.slice(opening + 1, place - 1));
  }
  begin(reading, name, attributes);
  if (xml[place] === '>') {
    return place + 1;
  }
  end(reading);
  return place + 2;
}

function endTag(reading, xml, at) {
  const [name, afterName] = word(xml, at + 2);
  const close = behindSpace(xml, afterName);
  if (xml[close] !== '>' || reading.open.at(-1)?.name !== name) {
    throw new Broken(`has </${name}> where it does not belong at character ${at}`);
  }
  end(reading);
  return close + 1;
}

function begin(reading, name, attributes) {
  const parent = reading.open.at(-1);
  if (parent === undefined && (reading.foundRoot || (name !== 'testsuites' && name !== 'testsuite'))) {
    throw new Broken(`has <${name}> where <testsuites> is expected`);
  }
  reading.foundRoot = true;
  const element = { name, path: parent?.path ?? [], test: parent?.test };
  if (name === 'testsuite' || name === 'testcase') {
    element.path = [...element.path, attributes.name ?? ''];
  }
  if (name === 'testcase') {
    element.test = { path: element.path, failures: [], skipped: undefined };
  } else if (element.test !== undefined && (name === 'failure' || name === 'error')) {
    element.problem = { message: attributes.message ?? '', text: '' };
  } else if (element.test !== undefined && name === 'skipped') {
    element.test.skipped = { type: attributes.type, message: attributes.message };
  }
  reading.open.push(element);
}

function end({ cases, open }) {
  const { name, test, problem } = open.pop();
  if (problem !== undefined) {
    test.failures.push({ message: problem.message, text: problem.text.trim() });
  } else if (name === 'testcase') {
    cases.push(test);
  }
}

function keep({ open }, piece) {
  const problem = open.at(-1)?.problem;
  if (problem !== undefined) {
    problem.text += piece;
  }
}

const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

// What is no reference that XML itself knows stays as it was written.
function resolve(piece) {
  if (!piece.includes('&')) {
    return piece;
  }
  return piece.replace(/&(?:#(\d+)|#x([\da-f]+)|(amp|lt|gt|quot|apos));/gi, (written, decimal, hexadecimal, name) => {
    if (name !== undefined) {
      return NAMED[name] ?? written;
    }
    const code = decimal !== undefined ? parseInt(decimal, 10) : parseInt(hexadecimal, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : written;
  });
}

function word(xml, at) {
  const name = /[^\s<>/=!?"']+/y;
  name.lastIndex = at;
  const [found] = name.exec(xml) ?? [];
  if (found === undefined) {
    throw new Broken(at < xml.length ? `has no name where one is expected at character ${at}` : 'ends too early');
  }
  return [found, at + found.length];
}

function behindSpace(xml, at) {
  const space = /\s*/y;
  space.lastIndex = at;
  return at + space.exec(xml)[0].length;
}

function behind(xml, mark, from) {
  const found = xml.indexOf(mark, from);
  if (found === -1) {
    throw new Broken('ends too early');
  }
  return found + mark.length;
}

// A document type may hold declarations of its own between brackets.
function behindDeclaration(xml, at) {
  const close = xml.indexOf('>', at);
  const bracket = xml.indexOf('[', at);
  return bracket !== -1 && bracket < close ? behind(xml, '>', behind(xml, ']', bracket)) : behind(xml, '>', at);
}
