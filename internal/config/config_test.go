package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

func keyset(t *testing.T) string {
	t.Helper()
	k, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func TestLoadReportsEveryFaultAtOnce(t *testing.T) {
	_, err := Load(env(map[string]string{
		"VICTIMVOICE_ADDR": "nowhere", "VICTIMVOICE_BASE_URL": "ftp://x", "VICTIMVOICE_STORE": "mongodb://host", "VICTIMVOICE_LOG": "xml", "VICTIMVOICE_MAIL_REPLY_TO": "nobody",
		"VICTIMVOICE_TRUSTED_PROXIES": "10.0.0.0/8, nonsense",
	}), "")
	var got []string
	for _, f := range fault.FieldsOf(err) {
		got = append(got, f.Field)
	}
	want := "VICTIMVOICE_ADDR VICTIMVOICE_BASE_URL VICTIMVOICE_STORE VICTIMVOICE_KEYS VICTIMVOICE_SMTP VICTIMVOICE_MAIL_FROM VICTIMVOICE_MAIL_REPLY_TO VICTIMVOICE_LOG VICTIMVOICE_TRUSTED_PROXIES"
	if strings.Join(got, " ") != want {
		t.Errorf("faults in %v\nwant %s", got, want)
	}
}

func TestLoadFromFileEnvironmentAndSecretFiles(t *testing.T) {
	dir := t.TempDir()
	keys := keyset(t)
	keyFile := filepath.Join(dir, "keys")
	conf := filepath.Join(dir, "settings.env")
	for path, text := range map[string]string{
		keyFile: keys + "\n",
		conf: "# settings\nVICTIMVOICE_SMTP=file:" + dir + "\nVICTIMVOICE_MAIL_FROM=\"Feedback <feedback@example.org>\"\n" +
			"VICTIMVOICE_ADDR=127.0.0.1:1\nVICTIMVOICE_KEYS_FILE=" + keyFile + "\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(env(map[string]string{"VICTIMVOICE_ADDR": ":9"}), conf)
	if err != nil {
		t.Fatal(err)
	}
	if c.MailReplyTo.Address != "" {
		t.Errorf("replies go to %v without a setting", c.MailReplyTo)
	}
	if with, err := Load(env(map[string]string{"VICTIMVOICE_MAIL_REPLY_TO": "Feedback <replies@example.org>"}), conf); err != nil || with.MailReplyTo.Address != "replies@example.org" {
		t.Errorf("replies: %v %v", with, err)
	}
	if c.Addr != ":9" || c.MailFrom.Address != "feedback@example.org" || c.SurveyURL != c.BaseURL || c.Keys == nil {
		t.Errorf("settings are not as given: %v", c)
	}
	if printed := c.String(); strings.Contains(printed, keys) || !strings.Contains(printed, "VICTIMVOICE_KEYS=(set)") || strings.Contains(printed, dir) {
		t.Errorf("printed settings give a secret away:\n%s", printed)
	}
}

func TestLoadRefusesASecretFileWithNothingInIt(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Not the default: what was meant for one store would be kept in another.
	if c, err := Load(env(map[string]string{"VICTIMVOICE_STORE_FILE": empty}), "", "STORE"); err == nil {
		t.Errorf("an empty file gives the store %q", c.Store)
	}
}

func TestLoadTellsStoresAndAddressesApart(t *testing.T) {
	for _, c := range []struct {
		name, value string
		good        bool
	}{
		{"STORE", "sqlite:x.db", true},
		{"STORE", "sqlite:", false},
		{"STORE", "postgres://host/db", false},
		{"STORE", "mongodb://host/vv", true},
		{"STORE", "mongodb://user:word@a:27017,b:27017,[::1]:27017/vv?replicaSet=rs0", true},
		{"STORE", "mongodb+srv://host/vv", true},
		{"STORE", "mongodb://host", false},
		{"STORE", "mongodb://host/", false},
		{"STORE", "mongodb://host/?replicaSet=a/b", false},
		{"ADDR", ":8080", true},
		{"ADDR", "[::1]:0", true},
		{"ADDR", "localhost", false},
		{"ADDR", "127.0.0.1:", false},
		{"ADDR", "127.0.0.1:port", false},
		{"ADDR", "127.0.0.1:70000", false},
		{"BASE_URL", "https://feedback.example.org/", true},
		{"BASE_URL", "https://feedback.example.org/path", false},
		{"BASE_URL", "feedback.example.org", false},
	} {
		_, err := Load(env(map[string]string{Prefix + c.name: c.value}), "", c.name)
		if (err == nil) != c.good {
			t.Errorf("%s=%s: %v; want good %v", c.name, c.value, err, c.good)
		}
	}
}

func TestLoadRefusesUnknownNamesAndSecretsSetTwice(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "c")
	if err := os.WriteFile(conf, []byte("VICTIMVOICE_ADR=x\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(env(map[string]string{"VICTIMVOICE_KEYS": "a", "VICTIMVOICE_KEYS_FILE": "b"}), conf, "KEYS")
	if fs := fault.FieldsOf(err); len(fs) != 3 {
		t.Errorf("want three faults (two lines, keys twice), have %v", fs)
	}
}
