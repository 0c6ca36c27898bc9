/*
 * The manual says what the program does: every page is well-formed, and what can be compared with
 * the code is. Runs in the top directory of the sources, as `make check` does.
 */
#include <glob.h>
#include <limits.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "names.h"

#define PAGE_BYTES     (256 * 1024)
#define MESSAGES_MAX   128
#define MESSAGES_LEAST 60 /* fewer found: this test does not read the table any more */

/* One entry of monitor/vocabulary.h, as the manual has to write it. */
struct entry {
	char name[64];	    /* SAY_STARTED */
	char pattern[1024]; /* a regular expression for the whole line */
	bool found;
};

static void
read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t length;

	if (file == NULL)
		fail_msg("%s: not here: the test runs in the top directory", path);
	length = fread(text, 1, size - 1, file);
	assert_true(feof(file));
	text[length] = '\0';
	assert_int_equal(fclose(file), 0);
}

/* The page as it is shown, in lines so long that none is broken, without overstriking. */
static void
render(const char *page, char *text)
{
	char path[PATH_MAX];
	int backspace;
	size_t length = 0;
	FILE *pipe;

	(void)snprintf(path, sizeof(path), "mandoc -T ascii -O width=1000 man/%s", page);
	pipe = popen(path, "r");
	assert_non_null(pipe);
	while ((backspace = fgetc(pipe)) != EOF) {
		assert_true(length < PAGE_BYTES - 1);
		if (backspace == '\b')
			length--;
		else
			text[length++] = (char)backspace;
	}
	text[length] = '\0';
	assert_int_equal(pclose(pipe), 0);
}

/* Does one line of `text` match? */
static bool __attribute__((format(printf, 2, 3)))
has_line(const char *text, const char *format, ...)
{
	char pattern[1024];
	va_list arguments;
	regex_t compiled;
	bool found;

	va_start(arguments, format);
	assert_in_range(vsnprintf(pattern, sizeof(pattern), format, arguments), 1, 1023);
	va_end(arguments);
	assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	found = regexec(&compiled, text, 0, NULL, 0) == 0;
	regfree(&compiled);
	return found;
}

static size_t
add_literal(char *pattern, size_t used, char c)
{
	if (strchr(".[]()*+?{}|^$\\", c) != NULL)
		pattern[used++] = '\\';
	pattern[used++] = c;
	return used;
}

/* Past a conversion of printf(3), which begins at `format`. */
static const char *
skip_conversion(const char *format)
{
	format++;
	while (strchr("0123456789lz.", *format) != NULL)
		format++;
	return format + 1;
}

/* The C string literals from `source` to the end of its line, joined; each conversion becomes a
 * word that begins with capitals. */
static void
make_pattern(const char *source, const char *level, char *pattern)
{
	size_t used = (size_t)sprintf(pattern, "^ +%-5s ", level);
	bool inside = false;

	while (*source != '\0' && *source != '\n') {
		assert_true(used < 1000);
		if (*source == '"') {
			inside = !inside;
			source++;
		} else if (!inside) {
			source++;
		} else if (*source == '%') {
			used += (size_t)sprintf(pattern + used, "(which )?[A-Z]+");
			source = skip_conversion(source);
		} else {
			source += *source == '\\';
			used = add_literal(pattern, used, *source++);
		}
	}
	(void)strcpy(pattern + used, "$");
}

/* Seconds with a fraction, "%d.%03d", are one word in the manual. */
static void
join_fractions(char *text)
{
	char *fraction;

	while ((fraction = strstr(text, "%d.%03d")) != NULL)
		memmove(fraction + 2, fraction + 7, strlen(fraction + 7) + 1);
}

static unsigned
read_vocabulary(struct entry *entries)
{
	static char text[PAGE_BYTES];
	char level[8], *place, *from;
	unsigned count = 0;

	read_file("monitor/vocabulary.h", text, sizeof(text));
	while ((place = strstr(text, "\\\n")) != NULL)
		memset(place, ' ', 2);
	join_fractions(text);
	for (place = text; (place = strstr(place, "#define SAY_")) != NULL; place++) {
		assert_true(count < MESSAGES_MAX);
		assert_int_equal(
		    sscanf(place, "#define %63s LEVEL_%7[A-Z]", entries[count].name, level), 2);
		from = strchr(place, '"');
		assert_non_null(from);
		make_pattern(from, level, entries[count].pattern);
		entries[count++].found = false;
	}
	return count;
}

static void
every_page_is_well_formed(void **state)
{
	struct outcome outcome;
	glob_t pages;
	size_t i;

	(void)state;
	assert_int_equal(glob("man/*.[1-9]", 0, NULL, &pages), 0);
	assert_true(pages.gl_pathc >= 2);
	for (i = 0; i < pages.gl_pathc; i++) {
		run_program(&outcome, "/usr/bin/mandoc", "-T", "lint", pages.gl_pathv[i], NULL);
		assert_string_equal(outcome.output, "");
		assert_string_equal(outcome.error, "");
		assert_int_equal(outcome.status, 0);
	}
	globfree(&pages);
}

static void
every_file_of_a_profile_is_explained(void **state)
{
	static char page[PAGE_BYTES];
	unsigned setting;

	(void)state;
	render("proclaunch-profile.5", page);
	for (setting = 0; setting < SETTING_COUNT; setting++)
		if (!has_line(page, "^ +%s( .*)?$", setting_name((enum setting)setting)))
			fail_msg(
			    "proclaunch-profile(5) lacks %s", setting_name((enum setting)setting));
}

static void
every_file_of_a_profile_is_in_the_table_of_the_readme(void **state)
{
	static char readme[PAGE_BYTES];
	unsigned setting;

	(void)state;
	read_file("README.md", readme, sizeof(readme));
	for (setting = 0; setting < SETTING_COUNT; setting++)
		if (!has_line(readme, "^\\| `%s` \\|", setting_name((enum setting)setting)))
			fail_msg("README.md lacks %s", setting_name((enum setting)setting));
}

/* Each option that `usage` names, as [-f|--foreground] and [--log-level=...], is found in the page
 * by the pattern. */
static void
assert_options(const char *program, const char *page, const char *pattern)
{
	static char text[PAGE_BYTES];
	char path[PATH_MAX], *option, *rest, line[256];
	struct outcome outcome;
	unsigned count = 0;

	render(page, text);
	run_program(&outcome, host_program(program, path, sizeof(path)), "--help", NULL);
	assert_int_equal(outcome.status, 0);
	for (rest = outcome.output; (option = strsep(&rest, " []|\n=,")) != NULL;) {
		if (option[0] != '-')
			continue;
		count++;
		(void)snprintf(line, sizeof(line), "%s%s([],= ].*)?$", pattern, option);
		if (!has_line(text, "%s", line))
			fail_msg("%s lacks %s", page, option);
	}
	assert_true(count >= 16);
}

static void
every_option_is_explained(void **state)
{
	(void)state;
	assert_options("proclaunch", "proclaunch.8", "^ +(-[a-zA-Z], )?");
	assert_options("proclaunchctl", "proclaunchctl.1", "^ +(.*[ [])?");
}

static void
every_message_of_the_log_is_explained(void **state)
{
	static char page[PAGE_BYTES];
	static struct entry entries[MESSAGES_MAX];
	unsigned count, i;

	(void)state;
	render("proclaunch.8", page);
	count = read_vocabulary(entries);
	assert_in_range(count, MESSAGES_LEAST, MESSAGES_MAX);
	for (i = 0; i < count; i++)
		if (!has_line(page, "%s", entries[i].pattern))
			fail_msg("proclaunch(8) lacks %s: %s", entries[i].name, entries[i].pattern);
}

/* What stands in the list of messages and is said by nobody misleads whoever searches for it. */
static void
no_message_is_explained_that_is_not_in_the_vocabulary(void **state)
{
	static char page[PAGE_BYTES];
	static struct entry entries[MESSAGES_MAX];
	char *section, *line, *rest;
	unsigned count, listed = 0, i;

	(void)state;
	render("proclaunch.8", page);
	count = read_vocabulary(entries);
	section = strstr(page, "\n   After the tag ProcLaunch\n");
	assert_non_null(section);
	*strstr(section, "\nTENANTS\n") = '\0';
	for (rest = section; (line = strsep(&rest, "\n")) != NULL;) {
		if (!has_line(line, "^ +(FATAL|WARN |INFO |DEBUG) "))
			continue;
		for (i = 0; i < count && !has_line(line, "%s", entries[i].pattern);)
			i++;
		if (i == count)
			fail_msg("not in the vocabulary: %s", line);
		listed++;
	}
	assert_int_equal(listed, count);
}

/* The page's words with one space between, so that where a line is broken does not matter. */
static void
render_words(const char *page, char *text)
{
	char *from = text, *to = text;

	render(page, text);
	for (; *from != '\0'; from++)
		if (*from != '\n' && *from != ' ')
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
}

/* The next string literal of C, with those that follow it directly; false: there is none. */
static bool
next_literal(const char **source, char *literal, size_t size)
{
	const char *place = strchr(*source, '"');
	size_t used = 0;

	while (place != NULL && *place == '"') {
		for (place++; *place != '"'; place++) {
			place += *place == '\\';
			assert_true(used < size - 1);
			literal[used++] = *place;
		}
		place++;
		*source = place;
		place += strspn(place, " \t\n");
	}
	literal[used] = '\0';
	return place != NULL;
}

/* What a program says beside the log, and the page that has to say what is to be done about it. The
 * texts are all literals of at least `least` characters between the two marks. */
static const struct {
	const char *file;
	const char *from;
	const char *to;
	size_t least;
	const char *page;
} sayings[] = {
    {"monitor/settings.c", "settings_default(", NULL, 15, "proclaunch-profile.5"},
    {"monitor/explain.c", "refusal_texts[", "\n};", 15, "proclaunch.8"},
    {"monitor/explain.c", "exec_hint(", "\n}", 15, "proclaunch.8"},
    {"parent/path.c", "path_explain(", "\n}", 15, "proclaunch.8"},
    {"monitor/commands.c", "take_token(", NULL, 15, "proclaunchctl.1"},
    {"monitor/supervise.c", "event_names[", "\n};", 3, "proclaunchctl.1"},
    {"ctl/openmetrics.c", "families[]", "\n};", 15, "proclaunchctl.1"},
    {"ctl/listing.c", "} fields[", "\n};", 3, "proclaunchctl.1"},
};

static void
what_a_program_says_is_explained(void **state)
{
	static char page[PAGE_BYTES], text[PAGE_BYTES];
	char literal[1024], *end;
	const char *source;
	unsigned count;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
		render_words(sayings[i].page, page);
		read_file(sayings[i].file, text, sizeof(text));
		source = strstr(text, sayings[i].from);
		assert_non_null(source);
		end = sayings[i].to == NULL ? NULL : strstr(source, sayings[i].to);
		if (end != NULL)
			*end = '\0';
		for (count = 0; next_literal(&source, literal, sizeof(literal));) {
			if (strlen(literal) < sayings[i].least)
				continue;
			count++;
			if (strcasestr(page, literal) == NULL)
				fail_msg("%s lacks what %s says: %s", sayings[i].page,
				    sayings[i].file, literal);
		}
		assert_true(count >= 3);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_page_is_well_formed),
	    cmocka_unit_test(every_file_of_a_profile_is_explained),
	    cmocka_unit_test(every_file_of_a_profile_is_in_the_table_of_the_readme),
	    cmocka_unit_test(every_option_is_explained),
	    cmocka_unit_test(every_message_of_the_log_is_explained),
	    cmocka_unit_test(no_message_is_explained_that_is_not_in_the_vocabulary),
	    cmocka_unit_test(what_a_program_says_is_explained),
	};

	return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
