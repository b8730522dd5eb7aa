import { describe, expect, test } from "vitest";
import { costExceeded } from "./budget.ts";
import { CelError, compileCel } from "./cel.ts";

const self = {
  count: 3,
  ratio: 1.5,
  name: "web",
  list: [1, 2, 3],
  names: ["a", "b"],
  map: { k: "v", constructor: "c" },
  nothing: null,
  yes: true,
};

function evaluate(expression: string, bindings: Record<string, unknown> = { self }): unknown {
  const compiled = compileCel(expression, { self: "dyn" });
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.program.evaluate(bindings);
}

function failureOf(expression: string, bindings?: Record<string, unknown>): string {
  try {
    return `gave ${String(evaluate(expression, bindings))}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

type Row = readonly [expression: string, value: unknown];

const rows: Readonly<Record<string, readonly Row[]>> = {
  numbers: [
    ["self.count + 1", 4],
    ["self.count > 2.5 && self.ratio < 2", true],
    ["type(self.count) == int && type(self.ratio) == double", true],
    ["self.count / 2", 1],
    ["-self.count % 2", -1],
    ["double(self.count) * self.ratio", 4.5],
    ["self.count == 3.0", true],
  ],
  presence: [
    ["has(self.name) && !has(self.missing)", true],
    ["has(self.nothing) && self.nothing == null", true],
    ["has([self][0].name) && !has([self][0].missing)", true],
    ["has(dyn(self).map.k) && [self].all(x, has(x.map.k) && !has(x.map.z))", true],
    ["has(self.?map.k) && !has(self.?missing.k)", true],
    ["self.?missing == null || optional.none() == null", false],
    ['"k" in self.map && !("z" in self.map)', true],
    ['self.map["constructor"]', "c"],
    ["true || self.missing == 1", true],
    ["self.missing == 1 || true", true],
    ["size(self.list) + self.map.size()", 5],
  ],
  macros: [
    ["self.list.all(x, x > 0)", true],
    ["self.list.exists(x, x == 2) && self.list.exists_one(x, x == 2)", true],
    ["self.list.map(x, x * 2)", [2, 4, 6]],
    ["self.list.map(x, x > 1, x * 2)", [4, 6]],
    ["self.list.filter(x, x != 2)", [1, 3]],
    ['self.map.all(k, k != "")', true],
    ["cel.bind(total, self.list.sum(), total + total)", 12],
    ["self.list.all(x, self.list.exists(y, y == x))", true],
  ],
  "two-variable comprehensions": [
    ["self.list.all(i, v, i < v)", true],
    ["self.map.exists(k, v, k == 'k' && v == 'v')", true],
    ["self.list.existsOne(i, v, v == 2)", true],
    ["self.list.exists_one(i, v, v > 1)", false],
    ["self.list.transformList(i, v, i * v)", [0, 2, 6]],
    ["self.list.transformList(i, v, v != 2, i * v)", [0, 6]],
    ["self.map.transformMap(k, v, k == 'k', v + '!')", { k: "v!" }],
    ["self.names.transformMapEntry(i, v, {v: i})", { a: 0, b: 1 }],
    ["self.names.all(i, v, self.names.exists(j, w, i == j && v == w))", true],
    ["self.list.exists(i, v, v / (v - 1) == 2)", true],
  ],
  optionals: [
    ["self.?missing.orValue(7)", 7],
    ["self.?map.?k.orValue('none')", "v"],
    ["self.?missing.?deeper.hasValue()", false],
    ["self.list[?9].orValue(0)", 0],
    ["optional.of(1).value()", 1],
    ["optional.none().or(optional.of(2)).value()", 2],
    ["self.?count.optMap(x, x + 1).orValue(0)", 4],
    ["self.?missing.optMap(x, x + 1).orValue(0)", 0],
    ["self.?count.optFlatMap(x, self.?missing).hasValue()", false],
    ["optional.ofNonZeroValue('').hasValue()", false],
  ],
  strings: [
    ["'tacocat'.charAt(3)", "o"],
    ["'hello'.indexOf('l') + 'hello'.lastIndexOf('l')", 5],
    ["'hello hello'.indexOf('hello', 2)", 6],
    ["'TacoCÆt'.lowerAscii()", "tacocÆt"],
    ["'TacoCæt'.upperAscii()", "TACOCæT"],
    ["'hello hello'.replace('he', 'we')", "wello wello"],
    ["'hello hello'.replace('he', 'we', 1)", "wello hello"],
    ["'ab'.replace('', '-')", "-a-b-"],
    ["'a,b,c'.split(',', 2)", ["a", "b,c"]],
    ["['a', 'b'].join('-')", "a-b"],
    ["'tacocat'.substring(1, 4)", "aco"],
    ["'  x '.trim()", "x"],
    ["'abc'.reverse()", "cba"],
    ["'hello'.startsWith('he') && 'hello'.endsWith('lo') && 'hello'.contains('ell')", true],
    [`strings.quote('a"b\\n')`, '"a\\"b\\n"'],
    [
      "'%s has %d of %.1f, %x %b %o%%'.format(['a', 2, 1.25, 255, 5, 8])",
      "a has 2 of 1.3, ff 101 10%",
    ],
    ["'%s'.format([[1, 'b', null]])", "[1, b, null]"],
    ["'%s'.format([{'b': 1, 'a': true}])", "{a: true, b: 1}"],
    ["'%e'.format([1234.5])", "1.234500e+03"],
  ],
  patterns: [
    ["self.name.matches('^[a-z]+$')", true],
    ["self.name.matches('b')", true],
    ["matches(self.name, '^b')", false],
    ["'abc 123'.find('[0-9]+')", "123"],
    ["'none'.find('[0-9]+')", ""],
    ["'1 22 333'.findAll('[0-9]+')", ["1", "22", "333"]],
    ["'1 22 333'.findAll('[0-9]+', 2)", ["1", "22"]],
  ],
  lists: [
    ["self.list.isSorted() && !['b', 'a'].isSorted()", true],
    ["[1.5, 2.5].sum()", 4],
    ["[3, 1, 2].min() + [3, 1, 2].max()", 4],
    ["['b', 'a'].max()", "b"],
    ["['a', 'b', 'a'].indexOf('a')", 0],
    ["['a', 'b', 'a'].lastIndexOf('a')", 2],
    ["[1, 2] + [3]", [1, 2, 3]],
    ["2 in self.list", true],
    ["sets.contains([1, 2, 3], [2.0])", true],
    ["sets.equivalent([1, 2, 1], [2, 1])", true],
    ["sets.intersects([1], [2])", false],
  ],
  quantities: [
    ["isQuantity('1.5Gi') && !isQuantity('1.5Zi')", true],
    ["quantity('1Ki').asInteger()", 1_024],
    ["quantity('1500m').isInteger()", false],
    ["quantity('1500m').asApproximateFloat()", 1.5],
    ["quantity('200M').isGreaterThan(quantity('100Mi'))", true],
    ["quantity('1k').compareTo(quantity('1000'))", 0],
    ["quantity('1k') == quantity('1000')", true],
    ["quantity('-5').sign()", -1],
    ["quantity('50k').add(20).sub(quantity('10')).asInteger()", 50_010],
    ["quantity('1Mi').isLessThan(quantity('1Gi'))", true],
    ["semver('1.2.3').isLessThan(semver('1.10.0')) && isSemver('1.0.0-rc.1')", true],
    ["semver('1.0.0-rc.1').compareTo(semver('1.0.0'))", -1],
    ["semver('3.2.1').major()", 3],
  ],
  addresses: [
    ["isIP('127.0.0.1') && isIP('::1') && !isIP('127.0.0.256') && !isIP('::ffff:1.2.3.4')", true],
    ["ip('::1').family() + ip('1.2.3.4').family()", 10],
    ["ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')", true],
    ["string(ip('2001:db8:0:0:0:0:0:1'))", "2001:db8::1"],
    ["ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified()", true],
    ["ip('fe80::1').isLinkLocalUnicast() && ip('ff02::1').isLinkLocalMulticast()", true],
    ["ip('8.8.8.8').isGlobalUnicast()", true],
    ["ip('::1') == ip('0:0:0:0:0:0:0:1')", true],
    ["cidr('192.168.0.0/24').containsIP('192.168.0.7')", true],
    ["cidr('192.168.0.0/24').containsIP(ip('192.168.1.7'))", false],
    ["cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')", true],
    ["string(cidr('192.168.0.7/24').masked())", "192.168.0.0/24"],
    ["cidr('10.0.0.0/8').prefixLength()", 8],
    ["isCIDR('10.0.0.0/33')", false],
  ],
  urls: [
    ["isURL('https://example.com:80/') && !isURL('../relative') && !isURL('https://a b/')", true],
    ["url('https://example.com:80/a b'.replace(' ', '%20')).getEscapedPath()", "/a%20b"],
    ["url('https://example.com:80/').getHost()", "example.com:80"],
    ["url('https://[::1]:80/').getHostname()", "::1"],
    ["url('https://example.com/').getPort()", ""],
    ["url('https://example.com/?k=a&k=b').getQuery()", { k: ["a", "b"] }],
    ["url('/path').getScheme()", ""],
  ],
  formats: [
    ["format.dns1123Label().validate('my-name').hasValue()", false],
    ["format.dns1123Label().validate('My').value().size()", 1],
    ["format.named('uuid').value().validate('nope').value()[0]", "does not match the UUID format"],
    ["format.named('nope').hasValue()", false],
    ["format.dns1123LabelPrefix().validate('my-').hasValue()", false],
    ["format.date().validate('2024-02-30').hasValue()", true],
    ["format.datetime().validate('2024-02-29T00:00:00Z').hasValue()", false],
    ["format.qualifiedName().validate('a.b/c').hasValue()", false],
    ["format.byte().validate('aGk=').hasValue()", false],
    ["format.uri().validate('https://a').hasValue()", false],
    ["format.labelValue().validate('-').hasValue()", true],
  ],
  times: [
    ["timestamp('2020-01-01T00:00:00Z') < timestamp('2021-01-01T00:00:00Z')", true],
    [
      "timestamp('2020-01-01T01:00:00Z') - timestamp('2020-01-01T00:00:00Z') == duration('1h')",
      true,
    ],
    ["timestamp('2020-03-01T00:00:00Z').getMonth()", 2],
    ["duration('90m').getHours()", 1],
    ["duration('1h30m') > duration('1h')", true],
    [
      "string(timestamp('2020-01-01T00:00:00Z') + duration('1s') == timestamp('2020-01-01T00:00:01Z'))",
      "true",
    ],
    ["timestamp('2020-01-01T00:00:00Z')", "2020-01-01T00:00:00Z"],
  ],
};

for (const [library, cases] of Object.entries(rows)) {
  describe(`an expression over ${library}`, () => {
    test.each(cases)("%s", (expression, value) => {
      expect(evaluate(expression)).toEqual(value);
    });
  });
}

describe("an expression that fails", () => {
  test.each([
    ["self.missing", "no such key: missing"],
    ["self.list[5]", "index out of bounds: 5"],
    ["1 / (self.count - 3)", "division by zero"],
    ["self.name + 1", "no such overload"],
    ["self.name.matches('(')", "missing closing )"],
    ["quantity('x')", "quantities must match"],
    ["ip('x')", 'IP Address "x" parse error'],
    ["[].min()", "min called on empty list"],
    ["optional.none().value()", "Optional value is not present"],
    ["self.list.all(i, v, v / (v - 1) > 0)", "division by zero"],
  ])("%s", (expression, message) => {
    expect(failureOf(expression)).toContain(message);
  });
});

describe("what does not compile", () => {
  test.each([
    [
      "selv.x",
      "ERROR: <input>:1:1: undeclared reference to 'selv' (in container '')\n | selv.x\n | ^",
    ],
    ["1 +", "Syntax error"],
    ["'a' + 1", "found no matching overload for '_+_' applied to '(string, int)'"],
    ["self.name.nope()", "nope"],
    ["'a'.matches(1)", "found no matching overload for 'matches' applied to 'string.(int)'"],
    ["", "expression is empty"],
  ])("%s", (expression, message) => {
    const compiled = compileCel(expression, { self: "dyn" });
    expect(compiled).toMatchObject({ ok: false });
    expect(compiled.ok ? "" : compiled.message).toContain(message);
  });

  test.each([
    ["deep", "(".repeat(1_000), "Exceeded maxDepth"],
    ["wide", `${"1 + ".repeat(10_000)}1`, "Exceeded maxAstNodes"],
    ["long", "1 + ".repeat(20_000), "longer than"],
  ])("what is too %s", (_, expression, message) => {
    expect(compileCel(expression, {})).toMatchObject({ message: expect.stringContaining(message) });
  });

  test("tells the type of what compiles", () => {
    const compiled = compileCel("self.a == 1 && x > 2", { self: "dyn", x: "int" });
    expect(compiled.ok && compiled.program.type).toBe("bool");
  });
});

describe("the cost of an expression is bounded", () => {
  const many = {
    self: { list: Array.from({ length: 2_000 }, (_, at) => at), text: "a".repeat(200_000) },
  };

  test.each([
    "self.list.all(x, self.list.all(y, x + y >= 0))",
    "self.list.exists(x, self.list.exists(y, x + y < 0))",
    "self.list.all(i, x, self.list.all(j, y, x + y >= 0))",
    "self.list.all(x, self.list + self.list != [])",
    "self.list.all(x, self.text.contains('b') || true)",
    "self.list.map(x, self.text.replace('a', self.text))",
    "self.text.replace('a', self.text) == ''",
    "self.list.all(x, sets.contains(self.list, [x]))",
    "self.text.matches('(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*(a*)*b')",
  ])("%s", (expression) => {
    expect(failureOf(expression, many)).toBe(costExceeded);
  });

  test("and it is told apart from other failures", () => {
    const compiled = compileCel("self.all(x, self.all(y, x + y >= 0))", { self: "list" });
    const run = () => compiled.ok && compiled.program.evaluate({ self: many.self.list });
    expect(run).toThrow(CelError);
    expect(run).toThrow(expect.objectContaining({ costExceeded: true }));
  });

  test("a program is used again after it was stopped", () => {
    const compiled = compileCel("self.all(x, self.all(y, x + y >= 0))", { self: "list" });
    if (!compiled.ok) throw new Error(compiled.message);
    expect(() => compiled.program.evaluate({ self: many.self.list })).toThrow(costExceeded);
    expect(compiled.program.evaluate({ self: [1, 2] })).toBe(true);
  });
});
