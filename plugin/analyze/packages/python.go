package packages

import "strings"

// python is pip, uv, poetry and Debian's python3 packages, by the metadata that
// PEP 376 and 566 ask of an installed distribution.
var python = &manager{
	kind: "pypi",
	records: func(name string) bool {
		return strings.HasSuffix(name, ".dist-info/METADATA") || strings.HasSuffix(name, ".egg-info/PKG-INFO")
	},
	parse: func(content []byte) []record {
		head, _, _ := strings.Cut(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n\n")
		fields := stanzaFields(head, ": ")
		if fields["Name"] == "" {
			return nil
		}
		return []record{{Name: fields["Name"], Version: fields["Version"]}}
	},
}
