package shared

import (
	"reflect"
	"testing"
)

func TestCount(t *testing.T) {
	base, a, b := Layer{"base", 100}, Layer{"a", 7}, Layer{"b", 30}
	r := Count([]Image{
		{Names: []string{"app:2"}, ID: "1", Layers: []Layer{base, a, a}},
		{Names: []string{"other:1"}, ID: "2", Layers: []Layer{base, b}},
		{Names: []string{"app:1"}, ID: "1", Layers: []Layer{base, a, a}},
	}, nil)
	want := &Report{Version: 1, Stored: 137, Shared: 100, Unread: []Unread{}, Images: []Row{
		{Names: []string{"other:1"}, ID: "2", Layers: 2, Bytes: 130, Shared: 100, Unique: 30},
		{Names: []string{"app:1", "app:2"}, ID: "1", Layers: 2, Bytes: 107, Shared: 100, Unique: 7},
	}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v, want %+v", r, want)
	}
}
