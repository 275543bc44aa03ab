// Package compose checks docker-compose.yml where no container engine is at
// hand, with the library by which `docker compose config` reads it.
package compose

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func project(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions(
		[]string{filepath.Join("..", "..", "docker-compose.yml")},
		cli.WithInterpolation(true),
		cli.WithResolvedPaths(true),
		cli.WithNormalization(true),
		cli.WithConsistency(true),
	)
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestServices(t *testing.T) {
	want := []string{"init", "mail", "mongo", "victimvoice"}
	if got := project(t).ServiceNames(); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("services %v, want %v", got, want)
	}
}

func TestEveryServiceIsHardened(t *testing.T) {
	for name, s := range project(t).Services {
		if !s.ReadOnly {
			t.Errorf("%s: read_only is not set", name)
		}
		if !slices.Contains(s.CapDrop, "ALL") {
			t.Errorf("%s: cap_drop does not hold ALL", name)
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: no-new-privileges is not set", name)
		}
		if s.Privileged {
			t.Errorf("%s: is privileged", name)
		}
		if len(s.CapAdd) > 0 && s.NetworkMode != "none" {
			t.Errorf("%s: has added capabilities and a network", name)
		}
		// Our own image names its user in the Dockerfile.
		if s.User == "" && s.Build == nil {
			t.Errorf("%s: would run as the image's user, root perhaps", name)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to other machines", name, p.Published)
			}
		}
	}
}

func TestImagesNameAVersion(t *testing.T) {
	for name, s := range project(t).Services {
		if s.Build != nil {
			continue
		}
		if _, tag, ok := strings.Cut(s.Image, ":"); !ok || tag == "latest" {
			t.Errorf("%s: image %q names no version", name, s.Image)
		}
	}
}

func TestNoSecretStandsInTheFile(t *testing.T) {
	for name, s := range project(t).Services {
		for key, value := range s.Environment {
			if value == nil {
				continue
			}
			for _, word := range []string{"PASSWORD", "SECRET", "KEY", "TOKEN", "STORE"} {
				if strings.Contains(key, word) && !strings.HasSuffix(key, "_FILE") {
					t.Errorf("%s: %s holds a secret; give %s_FILE", name, key, key)
				}
			}
			if u, err := url.Parse(*value); err == nil && u.User != nil {
				t.Errorf("%s: %s holds a user and password", name, key)
			}
		}
	}
}

func TestDataIsInDeclaredVolumes(t *testing.T) {
	p := project(t)
	for name, s := range p.Services {
		for _, v := range s.Volumes {
			switch v.Type {
			case types.VolumeTypeVolume:
				if _, ok := p.Volumes[v.Source]; !ok {
					t.Errorf("%s: volume %q is not declared", name, v.Source)
				}
			case types.VolumeTypeBind:
				if !v.ReadOnly {
					t.Errorf("%s: %s may be written to", name, v.Source)
				}
				if _, err := os.Stat(v.Source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	data := p.Services["mongo"].Volumes
	if !slices.ContainsFunc(data, func(v types.ServiceVolumeConfig) bool {
		return v.Type == types.VolumeTypeVolume && v.Target == "/data/db"
	}) {
		t.Error("mongo: /data/db is in no volume")
	}
}

func TestTheStartWaitsForWhatItNeeds(t *testing.T) {
	p := project(t)
	after := func(service, on, condition string) {
		t.Helper()
		if got := p.Services[service].DependsOn[on].Condition; got != condition {
			t.Errorf("%s waits for %s: %q, want %q", service, on, got, condition)
		}
	}
	after("mongo", "init", types.ServiceConditionCompletedSuccessfully)
	after("victimvoice", "init", types.ServiceConditionCompletedSuccessfully)
	after("victimvoice", "mongo", types.ServiceConditionHealthy)

	mongo := p.Services["mongo"]
	if mongo.HealthCheck == nil || !slices.Contains(mongo.HealthCheck.Test, "/deploy/health.js") {
		t.Error("mongo: the health check that makes the replica set is missing")
	}
	for _, option := range []string{"--replSet", "--keyFile"} {
		if !slices.Contains(mongo.Command, option) {
			t.Errorf("mongo: runs without %s", option)
		}
	}
	if mongo.Ports != nil {
		t.Error("mongo: is published")
	}
	for net := range mongo.Networks {
		if !p.Networks[net].Internal {
			t.Errorf("mongo: network %s leads outside", net)
		}
	}
}
