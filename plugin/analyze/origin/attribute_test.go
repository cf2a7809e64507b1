package origin

import "testing"

func TestInstruction(t *testing.T) {
	for createdBy, want := range map[string]string{
		"RUN /bin/sh -c apt-get update # buildkit":    "RUN apt-get update",
		"COPY . /app # buildkit":                      "COPY . /app",
		"/bin/sh -c apt-get update":                   "RUN apt-get update",
		"/bin/sh -c #(nop) COPY dir:0123 in /app ":    "COPY dir:0123 in /app",
		`/bin/sh -c #(nop)  CMD ["bash"]`:             `CMD ["bash"]`,
		"|2 A=1 B=two words /bin/sh -c make":          "RUN make",
		"RUN |1 VERSION=3 /bin/sh -c make # buildkit": "RUN make",
		"RUN /bin/sh -c echo one # two # buildkit":    "RUN echo one # two",
		"RUN npm ci # buildkit":                       "RUN npm ci",
		"bazel build //app":                           "bazel build //app",
		"":                                            "",
	} {
		if got := instruction(createdBy); got != want {
			t.Errorf("%q is %q, want %q", createdBy, got, want)
		}
	}
}
