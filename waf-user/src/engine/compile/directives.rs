//! Directives without rules: settings of the engine, markers, removals, includes.

use super::{Compiler, accepted};
use crate::engine::limits;
use crate::engine::options::LimitAction;
use crate::engine::rule::RuleFilter;
use crate::engine::text::Word;

/// Names of directives, for cures.
const NAMES: &[&str] = &[
    "SecRule",
    "SecAction",
    "SecMarker",
    "SecDefaultAction",
    "SecRuleEngine",
    "SecRequestBodyAccess",
    "SecRequestBodyLimit",
    "SecRequestBodyNoFilesLimit",
    "SecRequestBodyLimitAction",
    "SecResponseBodyAccess",
    "SecResponseBodyMimeType",
    "SecResponseBodyMimeTypesClear",
    "SecResponseBodyLimit",
    "SecResponseBodyLimitAction",
    "SecArgumentsLimit",
    "SecArgumentSeparator",
    "SecCookieFormat",
    "SecComponentSignature",
    "SecRuleRemoveById",
    "SecRuleRemoveByTag",
    "SecRuleRemoveByMsg",
    "SecRuleUpdateTargetById",
    "SecRuleUpdateTargetByTag",
    "SecRuleUpdateTargetByMsg",
    "SecRuleUpdateActionById",
    "SecCollectionTimeout",
    "SecRequestBodyJsonDepthLimit",
    "SecUploadFileLimit",
    "SecWebAppId",
    "Include",
    "IncludeOptional",
];

impl Compiler<'_> {
    pub(super) fn directive(&mut self, name: &Word, arguments: &[Word], from: &str, depth: usize) {
        match name.lossy().to_ascii_lowercase().as_str() {
            "secresponsebodymimetype" => self.mime_types(arguments),
            "secresponsebodymimetypesclear" => self.options.response_mime_types.clear(),
            "secruleremovebyid" => self.remove_by_id(name, arguments),
            "secruleupdatetargetbyid" | "secruleupdatetargetbytag" | "secruleupdatetargetbymsg" => {
                self.update_target(name, arguments);
            }
            "secruleupdateactionbyid" => match arguments {
                [target, list] => self.update_actions(name, target, list),
                _ => {
                    self.mistake(name.whole(), "it wants a rule id and one list of actions", "quote the list")
                }
            },
            _ if self.accepted(name, arguments) => {}
            known => {
                let [argument] = arguments else {
                    if NAMES.iter().any(|name| name.eq_ignore_ascii_case(known)) {
                        let message =
                            format!("{} wants one argument, found {}", name.lossy(), arguments.len());
                        self.mistake(name.whole(), message, "put it in quotes where it holds spaces");
                    } else {
                        self.unknown("directive", name, NAMES.iter().copied().chain(accepted::names()));
                    }
                    return;
                };
                self.setting(known, name, argument, from, depth);
            }
        }
    }

    fn setting(&mut self, known: &str, name: &Word, argument: &Word, from: &str, depth: usize) {
        match known {
            "secmarker" => self.marker(argument),
            "include" => self.include(argument, from, depth, true),
            "includeoptional" => self.include(argument, from, depth, false),
            "seccollectiontimeout" => {
                self.options.collection_timeout_s =
                    self.number(argument, 1, u64::from(u32::MAX)).unwrap_or(3600);
            }
            "secrequestbodyjsondepthlimit" => {
                self.options.json_depth_limit = self.size(argument, limits::JSON_DEPTH_MAX);
            }
            "secuploadfilelimit" => {
                self.options.upload_file_limit = self.size(argument, limits::MULTIPART_PARTS_MAX);
            }
            "secwebappid" => self.options.web_app_id = argument.lossy(),
            "seccomponentsignature" => self.options.component_signatures.push(argument.lossy()),
            "secruleengine" => self.options.engine = self.engine_mode(argument).unwrap_or_default(),
            "secrequestbodyaccess" => {
                self.options.request_body_access = self.on_off(argument).unwrap_or_default();
            }
            "secresponsebodyaccess" => {
                self.options.response_body_access = self.on_off(argument).unwrap_or_default();
            }
            "secrequestbodylimit" => self.options.request_body_limit = self.bytes(argument),
            "secrequestbodynofileslimit" => self.options.request_body_no_files_limit = self.bytes(argument),
            "secresponsebodylimit" => self.options.response_body_limit = self.bytes(argument),
            "secrequestbodylimitaction" => {
                self.options.request_body_limit_action = Some(self.limit_action(argument))
            }
            "secresponsebodylimitaction" => {
                self.options.response_body_limit_action = self.limit_action(argument)
            }
            "secargumentslimit" => {
                self.options.arguments_limit = self.size(argument, limits::ARGUMENTS_MAX);
            }
            "secargumentseparator" => self.argument_separator(argument),
            "seccookieformat" => self.cookie_format(argument),
            "secruleremovebytag" => {
                if let Some(pattern) = self.filter_pattern(argument) {
                    self.remove(&RuleFilter::Tag(pattern), name);
                }
            }
            "secruleremovebymsg" => {
                if let Some(pattern) = self.filter_pattern(argument) {
                    self.remove(&RuleFilter::Msg(pattern), name);
                }
            }
            _ => self.unknown("directive", name, NAMES.iter().copied().chain(accepted::names())),
        }
    }

    fn include(&mut self, argument: &Word, from: &str, depth: usize, required: bool) {
        let path = argument.lossy();
        if depth >= limits::INCLUDE_DEPTH {
            let message = format!("Include nested deeper than {}", limits::INCLUDE_DEPTH);
            self.mistake(argument.whole(), message, "does a file include itself?");
            return;
        }
        let paths = match path.contains(['*', '?', '[']) {
            false => vec![path.clone()],
            true => match self.access.glob(&path, from) {
                Ok(paths) => paths,
                Err(_) if !required => Vec::new(),
                Err(error) => {
                    self.mistake(argument.whole(), format!("listing `{path}`: {error}"), "");
                    return;
                }
            },
        };
        for path in paths {
            match self.access.read(&path, from) {
                Ok(file) => self.file(file, depth + 1),
                Err(_) if !required => {}
                Err(error) => self.mistake(argument.whole(), format!("reading `{path}`: {error}"), ""),
            }
            self.end_chain();
        }
    }

    fn remove_by_id(&mut self, name: &Word, arguments: &[Word]) {
        if arguments.is_empty() {
            self.mistake(name.whole(), "no rule id", "name ids or ranges such as 942100-942199");
        }
        for filter in self.id_list(arguments) {
            self.remove(&filter, name);
        }
    }

    fn update_target(&mut self, name: &Word, arguments: &[Word]) {
        let (rules, targets, replaced) = match arguments {
            [rules, targets] => (rules, targets, None),
            [rules, targets, replaced] => (rules, targets, Some(replaced)),
            _ => return self.mistake(name.whole(), "it wants rules and variables", "quote the variables"),
        };
        let filters = match name.lossy().to_ascii_lowercase().as_str() {
            "secruleupdatetargetbyid" => self.id_list(std::slice::from_ref(rules)),
            "secruleupdatetargetbytag" => {
                self.filter_pattern(rules).map(RuleFilter::Tag).into_iter().collect()
            }
            _ => self.filter_pattern(rules).map(RuleFilter::Msg).into_iter().collect(),
        };
        self.update_targets(name, &filters, targets, replaced);
    }

    /// `942100 942110-942199`, separated by spaces or commas.
    fn id_list(&mut self, arguments: &[Word]) -> Vec<RuleFilter> {
        let mut filters = Vec::new();
        for argument in arguments {
            let mut from = 0;
            for part in argument.text.split(|byte| matches!(byte, b',' | b' ')) {
                let word = argument.slice(from, from + part.len());
                from += part.len() + 1;
                if part.is_empty() {
                    continue;
                }
                filters.extend(self.ids(&word));
            }
        }
        filters
    }

    fn mime_types(&mut self, arguments: &[Word]) {
        let types = arguments.iter().flat_map(|word| word.text.split(u8::is_ascii_whitespace));
        let types = types.filter(|name| !name.is_empty()).map(<[u8]>::to_ascii_lowercase);
        self.options.response_mime_types.extend(types);
    }

    fn bytes(&mut self, argument: &Word) -> usize {
        self.size(argument, limits::BODY_BYTES_MAX)
    }

    pub(super) fn size(&mut self, argument: &Word, max: usize) -> usize {
        let ceiling = u64::try_from(max).unwrap_or(u64::MAX);
        self.number(argument, 0, ceiling).and_then(|size| usize::try_from(size).ok()).unwrap_or(max)
    }

    fn limit_action(&mut self, argument: &Word) -> LimitAction {
        match argument.lossy().to_ascii_lowercase().as_str() {
            "processpartial" => LimitAction::ProcessPartial,
            "reject" => LimitAction::Reject,
            _ => {
                let message = format!("no limit action `{}`", argument.lossy());
                self.mistake(argument.whole(), message, "use Reject or ProcessPartial");
                LimitAction::Reject
            }
        }
    }

    fn argument_separator(&mut self, argument: &Word) {
        match argument.text.as_slice() {
            [separator] => self.options.argument_separator = *separator,
            _ => self.mistake(argument.whole(), "the separator is one byte", "use & or ;"),
        }
    }

    /// Version 0 (Netscape) only: browsers send nothing else, and version 1 would be read apart by no server.
    fn cookie_format(&mut self, argument: &Word) {
        if argument.text != b"0" {
            let message = format!("cookie format `{}` is not supported", argument.lossy());
            self.mistake(argument.whole(), message, "use 0");
        }
    }
}
