package example;

public class Greeting {
    public static final String TEXT = "hello";
}
