//! `junit.xml`, read by a strict reader of our own, so that writer and reader cannot share a mistake.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

#[derive(Clone, Debug, Default)]
pub struct Junit {
    pub tests: usize,
    pub failures: usize,
    pub errors: usize,
    pub skipped: usize,
    pub suites: Vec<Suite>,
}

#[derive(Clone, Debug, Default)]
pub struct Suite {
    pub name: String,
    pub tests: usize,
    pub failures: usize,
    pub errors: usize,
    pub skipped: usize,
    pub cases: Vec<Case>,
}

#[derive(Clone, Debug, Default)]
pub struct Case {
    pub name: String,
    pub classname: Option<String>,
    pub file: Option<String>,
    /// The names of the elements in it, in order.
    pub elements: Vec<String>,
    /// All text in it.
    pub text: String,
}

impl Junit {
    #[track_caller]
    pub fn parse(xml: &str) -> Self {
        let mut reader = Reader::from_str(xml);
        let mut junit = Self::default();
        let mut depth: Vec<String> = Vec::new();
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("junit.xml is not well-formed: {error}\n{xml}")) {
                Event::Start(start) => {
                    junit.open(&start, &depth);
                    depth.push(tag(&start));
                }
                Event::Empty(start) => junit.open(&start, &depth),
                Event::End(_) => {
                    depth.pop();
                }
                Event::Text(text) => junit.add(&text),
                Event::CData(text) => junit.add(&text),
                Event::GeneralRef(reference) => junit.add(&resolve(&reference)),
                Event::DocType(_) => panic!("junit.xml has a document type"),
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(depth.is_empty(), "junit.xml ends within {depth:?}");
        junit
    }

    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.suites.iter().flat_map(|suite| &suite.cases)
    }

    /// The one case of this name.
    #[track_caller]
    pub fn case(&self, name: &str) -> &Case {
        let found: Vec<&Case> = self.cases().filter(|case| case.name == name).collect();
        match found[..] {
            [case] => case,
            _ => panic!("{} cases are called {name:?}", found.len()),
        }
    }

    /// Totals are exact, suites don't nest, a case has at most one of failure, error and skipped.
    #[track_caller]
    pub fn check(&self) {
        for suite in &self.suites {
            let count = |element: &str| suite.cases.iter().filter(|case| case.has(element)).count();
            assert_eq!(suite.tests, suite.cases.len(), "tests of suite {}", suite.name);
            assert_eq!(suite.failures, count("failure"), "failures of suite {}", suite.name);
            assert_eq!(suite.errors, count("error"), "errors of suite {}", suite.name);
            assert_eq!(suite.skipped, count("skipped"), "skipped of suite {}", suite.name);
        }
        let sum = |of: fn(&Suite) -> usize| self.suites.iter().map(of).sum::<usize>();
        assert_eq!(self.tests, sum(|suite| suite.tests), "tests of all suites");
        assert_eq!(self.failures, sum(|suite| suite.failures), "failures of all suites");
        assert_eq!(self.errors, sum(|suite| suite.errors), "errors of all suites");
        if self.skipped > 0 {
            assert_eq!(self.skipped, sum(|suite| suite.skipped), "skipped of all suites");
        }
        for case in self.cases() {
            let judged = ["failure", "error", "skipped"];
            let judgements = case.elements.iter().filter(|element| judged.contains(&element.as_str())).count();
            assert!(judgements <= 1, "{} has {:?}", case.name, case.elements);
            for element in ["system-out", "system-err"] {
                assert!(
                    case.elements.iter().filter(|found| *found == element).count() <= 1,
                    "{}: two {element}",
                    case.name
                );
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, above: &[String]) {
        let tag = tag(start);
        match (tag.as_str(), above.len()) {
            ("testsuites", 0) => {
                self.tests = number(start, "tests");
                self.failures = number(start, "failures");
                self.errors = number(start, "errors");
                self.skipped = attribute(start, "skipped").map_or(0, |_| number(start, "skipped"));
            }
            ("testsuite", 1) => self.suites.push(Suite {
                name: attribute(start, "name").expect("a suite has a name"),
                tests: number(start, "tests"),
                failures: number(start, "failures"),
                errors: number(start, "errors"),
                skipped: number(start, "skipped"),
                cases: Vec::new(),
            }),
            ("testcase", 2) => {
                let suite = self.suites.last_mut().expect("a case lies in a suite");
                suite.cases.push(Case {
                    name: attribute(start, "name").expect("a case has a name"),
                    classname: attribute(start, "classname"),
                    file: attribute(start, "file"),
                    elements: Vec::new(),
                    text: String::new(),
                });
            }
            ("testsuites" | "testsuite" | "testcase", depth) => panic!("<{tag}> at depth {depth}"),
            (_, 3) if above[2] == "testcase" => {
                let case = self.suites.last_mut().and_then(|suite| suite.cases.last_mut());
                let case = case.expect("an element at this depth lies in a case");
                case.text.push_str(&attribute(start, "message").unwrap_or_default());
                case.elements.push(tag);
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        if let Some(case) = self.suites.last_mut().and_then(|suite| suite.cases.last_mut()) {
            case.text.push_str(text);
        }
    }
}

impl Case {
    pub fn has(&self, element: &str) -> bool {
        self.elements.iter().any(|found| found == element)
    }

    /// The one word that a reader of the file would say of this case.
    pub fn judgement(&self) -> &str {
        ["failure", "error", "skipped"].into_iter().find(|element| self.has(element)).unwrap_or("passed")
    }
}

fn tag(start: &BytesStart<'_>) -> String {
    start.name().as_ref().to_owned()
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = start.try_get_attribute(name).expect("attributes are well-formed")?;
    Some(quick_xml::escape::unescape(&attribute.value).expect("attributes are escaped").into_owned())
}

#[track_caller]
fn number(start: &BytesStart<'_>, name: &str) -> usize {
    let text = attribute(start, name).unwrap_or_else(|| panic!("<{}> has no {name}", tag(start)));
    text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}"))
}

fn resolve(reference: &str) -> String {
    quick_xml::escape::unescape(&format!("&{reference};")).expect("only the five entities and characters").into_owned()
}
