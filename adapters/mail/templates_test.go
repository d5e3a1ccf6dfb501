package mail_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/mail"
)

var update = flag.Bool("update", false, "write the previews anew")

func templates(t *testing.T) *mail.Templates {
	t.Helper()
	all, err := mail.NewTemplates("https://front.example")
	require.NoError(t, err)
	return all
}

// TestPreviews holds every letter against its preview in testdata/previews, which are there to
// be looked at: `go test ./adapters/mail -update` writes them.
func TestPreviews(t *testing.T) {
	t.Parallel()
	all := templates(t)
	for _, c := range all.List() {
		link := ""
		if c.Optional {
			link = "https://front.example/unsubscribe?token=token"
		}
		r, err := all.Render(c.Name, all.Samples(c.Name), link)
		require.NoError(t, err, c.Name)
		for ext, got := range map[string]string{".txt": "Subject: " + r.Subject + "\n\n" + r.Text, ".html": r.HTML} {
			file := filepath.Join("testdata", "previews", c.Name+ext)
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got, file)
		}
		for _, f := range c.Fields {
			assert.Contains(t, r.Subject+r.Text, strings.Split(f.Sample, "\n")[0], "%s leaves %s out", c.Name, f.Name)
		}
	}
	found, err := filepath.Glob(filepath.Join("testdata", "previews", "*"))
	require.NoError(t, err)
	assert.Len(t, found, 2*len(all.List()), "a preview of no template")
}

// TestVariablesAreText: whatever a variable holds, the HTML part holds no markup of it.
func TestVariablesAreText(t *testing.T) {
	t.Parallel()
	all := templates(t)
	for _, c := range all.List() {
		vars := map[string]string{}
		for _, f := range c.Fields {
			vars[f.Name] = `<script>alert("` + f.Name + `")</script>&"'`
		}
		r, err := all.Render(c.Name, vars, "")
		require.NoError(t, err, c.Name)
		assert.NotContains(t, r.HTML, "<script", c.Name)
		assert.Contains(t, r.Subject+r.Text, "<script>", "%s: text is not escaped where it is text", c.Name)
		assert.NotContains(t, r.Text, "&lt;", c.Name)
	}
}

func TestOnlyWhatATemplateNeedsGetsThrough(t *testing.T) {
	t.Parallel()
	all := templates(t)
	ok := map[string]string{"code": "123456"}
	require.NoError(t, all.Check("verify-email", ok))
	for name, c := range map[string]struct {
		template string
		vars     map[string]string
		code     string
	}{
		"unknown template": {"free", ok, "TEMPLATE_UNKNOWN"},
		"path":             {"../layout", ok, "TEMPLATE_UNKNOWN"},
		"missing":          {"verify-email", nil, "VALIDATION_FAILED"},
		"blank":            {"verify-email", map[string]string{"code": "  "}, "VALIDATION_FAILED"},
		"unknown variable": {"verify-email", map[string]string{"code": "1", "html": "x"}, "VALIDATION_FAILED"},
		"line's end":       {"notice", map[string]string{"subject": "a\r\nBcc: b@c.test", "text": "x"}, "VALIDATION_FAILED"},
		"carriage return":  {"notice", map[string]string{"subject": "a", "text": "x\ry"}, "VALIDATION_FAILED"},
		"too long":         {"verify-email", map[string]string{"code": strings.Repeat("9", 501)}, "VALIDATION_FAILED"},
		"not text":         {"verify-email", map[string]string{"code": "\xff"}, "VALIDATION_FAILED"},
	} {
		err := all.Check(c.template, c.vars)
		require.ErrorContains(t, err, c.code, name)
	}
	require.NoError(t, all.Check("notice", map[string]string{"subject": "a", "text": "x\ny"}))
}
